// Typed arrays out of the base64 text of the data files.
"use strict";

/** The column in memory as the program wrote it, little endian; Type: Float32Array, Int32Array. */
function decodeColumn(text, Type) {
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; ++i) bytes[i] = binary.charCodeAt(i);
    return new Type(bytes.buffer);
}

/** Lowest and highest finite value, [0, 1] if there is none. */
function rangeOf(values) {
    let low = Infinity, high = -Infinity;
    for (const value of values) {
        if (value < low && value > -Infinity) low = value;
        if (value > high && value < Infinity) high = value;
    }
    return low <= high ? [low, high] : [0, 1];
}

const countFormat = new Intl.NumberFormat("en");

/** "12.5 nm": three digits and a prefix. */
function withUnit(value, unit) {
    if (!Number.isFinite(value)) return "unknown";
    if (unit === "" || value === 0) return `${Number(value.toPrecision(3))} ${unit}`.trim();
    const step = Math.max(-4, Math.min(4, Math.floor(Math.log10(Math.abs(value)) / 3)));
    const prefix = ["p", "n", "µ", "m", "", "k", "M", "G", "T"][step + 4];
    return `${Number((value / 1000 ** step).toPrecision(3))} ${prefix}${unit}`;
}

/** An element with attributes and children; text becomes text, never markup. */
function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
        if (key in made && key !== "list") made[key] = value;
        else made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
}
