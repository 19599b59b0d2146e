// The side of the map: legend, search, and the image that was picked.
"use strict";

/** What the legend and the search let through, and what they bring to the fore. */
class Selection {
    constructor(count) {
        this.hidden = new Set();   // indices of the colouring
        this.only = -1;            // index in the fore for good
        this.pointed = -1;         // index in the fore while the legend's line is pointed at
        this.matches = null;       // Uint8Array [count] of a search
        this.count = count;
    }
    shows(index) { return !this.hidden.has(index); }
    get hasFore() { return this.only >= 0 || this.pointed >= 0 || this.matches !== null; }
    isFore(i, index) {
        const wanted = this.pointed >= 0 ? this.pointed : this.only;
        return (wanted < 0 || index === wanted) && (!this.matches || this.matches[i] === 1);
    }
    forgetCategories() {
        this.hidden.clear();
        this.only = this.pointed = -1;
    }
}

/** Shows the colouring's categories or scale; calls changed() when the selection is another. */
function showLegend(place, colouring, selection, changed) {
    place.replaceChildren();
    if (colouring.kind === "scale") place.append(scaleLegend(colouring));
    else place.append(legendButtons(colouring, selection, changed));
    const list = element("ul");
    const indices = colouring.kind === "scale" ? []
        : colouring.names.map((_, index) => index)
            .filter((index) => colouring.counts[index] > 0);
    if (colouring.key === "cluster" || colouring.key === "label" || colouring.key === "prediction")
        indices.sort((a, b) => colouring.counts[b] - colouring.counts[a]);
    if (colouring.counts[colouring.without_index] > 0) indices.push(colouring.without_index);
    for (const index of indices) list.append(legendLine(colouring, index, selection, changed));
    place.append(list);
}

function legendButtons(colouring, selection, changed) {
    const all = (hide) => () => {
        selection.forgetCategories();
        if (hide) colouring.colours.forEach((_, index) => selection.hidden.add(index));
        changed(true);
    };
    return element("div", {className: "buttons"},
                   element("button", {type: "button", onclick: all(false)}, "All"),
                   element("button", {type: "button", onclick: all(true)}, "None"));
}

function legendLine(colouring, index, selection, changed) {
    const name = colouring.name(index);
    const box = element("input", {type: "checkbox", checked: selection.shows(index),
                                  ariaLabel: "show " + name});
    box.onchange = () => {
        if (box.checked) selection.hidden.delete(index);
        else selection.hidden.add(index);
        changed(false);
    };
    const dot = element("i", {className: "dot"});
    dot.style.background = colouring.colours[index];
    const button = element("button", {type: "button", className: "category",
                                      title: `${name}: bring to the fore`,
                                      ariaPressed: String(selection.only === index)},
                           dot, element("span", {}, name));
    button.onclick = () => {
        selection.only = selection.only === index ? -1 : index;
        changed(true);
    };
    const line = element("li", {}, box, button,
                         element("span", {className: "count"},
                                 countFormat.format(colouring.counts[index])));
    line.onpointerenter = () => { selection.pointed = index; changed(false); };
    line.onpointerleave = () => { selection.pointed = -1; changed(false); };
    return line;
}

function scaleLegend(colouring) {
    const bar = element("div", {className: "scale"});
    const stops = SCALE_STOPS.join(",");
    bar.style.background = `linear-gradient(to right,${stops})`;
    const [low, high] = colouring.range;
    const middle = colouring.logarithmic ? Math.sqrt(low * high) : (low + high) / 2;
    const ends = element("div", {className: "ends"});
    for (const value of [low, middle, high])
        ends.append(element("span", {}, withUnit(value, colouring.unit)));
    return element("div", {}, bar, ends);
}

/** Path and values of an image, as a list of terms; the path alone until more is known. */
function describe(row, colourings) {
    const list = element("dl");
    for (const colouring of colourings) {
        const value = element("dd", {}, colouring.text(row));
        if (colouring.kind === "category") {
            const dot = element("i", {className: "dot"});
            dot.style.background = colouring.colours[colouring.index[row]];
            value.prepend(dot);
        }
        list.append(element("dt", {}, colouring.title), value);
    }
    return list;
}

/** The path with places where a line may break. */
function pathText(row) {
    const place = element("p", {className: "path"});
    const path = ATLAS.paths ? ATLAS.paths[row] : `image ${row}`;
    for (const part of path.split(/(?<=[/_-])/)) place.append(part, element("wbr"));
    return place;
}

/** The micrograph itself, where the atlas lies on the machine that has it; else nothing. */
function originalLink(row) {
    const path = ATLAS.paths ? ATLAS.root + ATLAS.paths[row] : "";
    if (location.protocol !== "file:" || !path.startsWith("/")) return [];
    const address = "file://" + path.split("/").map(encodeURIComponent).join("/");
    return [element("a", {href: address, target: "_blank", rel: "noopener"}, "Original file")];
}

/** The rows nearest to one in all the axes that the map knows. */
function mostSimilar(row, axes, most) {
    const squared = new Float64Array(ATLAS.count);
    for (const axis of axes)
        for (let i = 0; i < squared.length; ++i) squared[i] += (axis[i] - axis[row]) ** 2;
    const best = [];
    for (let i = 0; i < squared.length; ++i) {
        if (i === row || (best.length === most && squared[i] >= squared[best[most - 1]])) continue;
        let at = best.length;
        while (at > 0 && squared[best[at - 1]] > squared[i]) --at;
        best.splice(at, 0, i);
        best.length = Math.min(best.length, most);
    }
    return best;
}

/** Rows whose path holds the text, whatever its case, as a mask; null for no text. */
function searchPaths(text) {
    const wanted = text.trim().toLowerCase();
    if (wanted === "" || !ATLAS.paths) return null;
    return Uint8Array.from(ATLAS.paths, (path) => path.toLowerCase().includes(wanted) ? 1 : 0);
}
