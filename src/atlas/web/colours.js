// Colourings of the map: what each point's value is called, and its colour.
"use strict";

/** "#rrggbb" as a pixel of an ImageData seen as Uint32Array (little endian). */
function toPixel(hex) {
    const rgb = parseInt(hex.slice(1), 16);
    return (0xff000000 | (rgb & 0xff) << 16 | rgb & 0xff00 | rgb >> 16) >>> 0;
}

const NO_CATEGORY = "#8d939c";

// Cividis (Nuñez, Anderton, Renslow, PLoS ONE 13 (2018) e0199239), lifted at its dark end so that
// it shows on a dark ground: the same order of lightness for all kinds of colour vision.
const SCALE_STOPS = ["#27497e", "#4a5b7b", "#66707b", "#7f8178", "#9a9372", "#b8a968", "#d7c056",
                     "#f2da3d"];
const SCALE_STEPS = 64;

function scaleColour(share) {
    const place = Math.max(0, Math.min(1, share)) * (SCALE_STOPS.length - 1);
    const low = Math.min(Math.floor(place), SCALE_STOPS.length - 2), rest = place - low;
    const channel = (hex, at) => parseInt(hex.slice(at, at + 2), 16);
    const mixed = [1, 3, 5].map((at) => Math.round(
        channel(SCALE_STOPS[low], at) * (1 - rest) + channel(SCALE_STOPS[low + 1], at) * rest));
    return "#" + mixed.map((value) => value.toString(16).padStart(2, "0")).join("");
}

/**
 * A colouring that is ready to draw from: each point's index into colours; the last index is that
 * of points without a value.
 */
class Colouring {
    constructor(description) {
        Object.assign(this, description);
        const isScale = this.kind === "scale";
        this.values = decodeColumn(this.data, isScale ? Float32Array : Int32Array);
        this.data = null;
        if (isScale) this.prepareScale();
        else this.prepareCategories();
        this.colours.push(NO_CATEGORY);
        this.pixels = Uint32Array.from(this.colours, toPixel);
        this.counts = new Uint32Array(this.colours.length);
        for (const index of this.index) ++this.counts[index];
    }

    get without_index() {
        return this.colours.length - 1;
    }

    prepareCategories() {
        const none = this.names.length;
        this.index = Uint16Array.from(this.values, (value) => value < 0 ? none : value);
    }

    prepareScale() {
        const place = this.logarithmic ? Math.log10 : (value) => value;
        this.range = rangeOf(this.values);
        const low = place(this.range[0]), span = place(this.range[1]) - low || 1;
        this.index = Uint16Array.from(this.values, (value) => Number.isFinite(value)
            ? Math.min(SCALE_STEPS - 1, Math.floor((place(value) - low) / span * SCALE_STEPS))
            : SCALE_STEPS);
        this.colours = Array.from({length: SCALE_STEPS},
                                  (_, step) => scaleColour((step + 0.5) / SCALE_STEPS));
    }

    /** What the value of an index is called. */
    name(index) {
        if (index === this.without_index) return this.without || "unknown";
        return this.key === "cluster" ? clusterNames.title(index) : this.names[index];
    }

    /** What point i's value is called. */
    text(i) {
        if (this.kind === "scale") return withUnit(this.values[i], this.unit);
        return this.name(this.index[i]);
    }
}
