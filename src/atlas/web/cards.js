// The card of the image that is pointed at, and that of the one picked.
"use strict";

class HoverCard {
    constructor(map) {
        this.map = map;
        this.card = byId("hover");
        this.picture = new PictureCanvas(map.pictures, this.card.querySelector("canvas"),
                                         Math.min(192, Math.max(128, ATLAS.tiles.size)));
    }

    fill(row) {
        this.picture.show(row);
        this.card.lastElementChild.replaceChildren(
            pathText(row), describe(row, this.map.colourings.slice(0, 6)));
    }

    showAt(left, top) {
        const {card} = this, {width, height} = this.map.view.box;
        card.hidden = false;
        const x = left + 18 + card.offsetWidth > width ? left - 18 - card.offsetWidth : left + 18;
        const y = Math.max(8, Math.min(top - 40, height - card.offsetHeight - 8));
        card.style.transform = `translate(${Math.max(8, x)}px,${y}px)`;
    }

    hide() {
        this.card.hidden = true;
    }
}

class PinnedCard {
    constructor(map) {
        this.map = map;
        this.place = byId("pinned");
        this.shown = [];   // canvases that wait for their sheets
    }

    refresh() {
        for (const canvas of this.shown) canvas.refresh();
    }

    /** row: -1 empties it. */
    show(row) {
        this.shown = [];
        this.place.hidden = row < 0;
        this.place.replaceChildren();
        if (row < 0) return;
        const close = element("button", {type: "button", className: "close", title: "Let go (Esc)",
                                         ariaLabel: "Let go", onclick: () => this.map.pick(-1)}, "×");
        this.place.append(close, this.picture(Math.min(288, this.place.clientWidth || 288), row),
                          pathText(row), describe(row, this.map.colourings), this.links(row));
        const similar = this.similar(row);
        if (similar.childElementCount > 0)
            this.place.append(element("h2", {}, "Most similar, by the axes of the embedding"),
                              similar);
        this.place.scrollIntoView({block: "nearest"});
    }

    picture(side, row) {
        const canvas = element("canvas");
        const shown = new PictureCanvas(this.map.pictures, canvas, side);
        this.shown.push(shown);
        shown.show(row);
        return canvas;
    }

    links(row) {
        const cluster = this.map.colourings[0].values[row];
        const links = element("p", {className: "links"});
        if (cluster >= 0)
            links.append(element("a", {href: `clusters/${cluster}.html`}, "Page of the cluster"));
        links.append(...originalLink(row));
        return links;
    }

    similar(row) {
        const list = element("div", {className: "similar"});
        for (const other of mostSimilar(row, this.map.axes, 8))
            list.append(element("button", {
                type: "button", ariaLabel: "pick a similar image",
                title: ATLAS.paths ? ATLAS.paths[other] : "",
                onclick: () => { this.map.pick(other); this.map.goTo(other); }},
                this.picture(66, other)));
        return list;
    }
}

/** The paths that a search found, at most 100, and how many there are. */
function listHits(map, matches) {
    const hits = byId("hits"), rows = [];
    hits.replaceChildren();
    hits.hidden = !matches;
    byId("found").textContent = "";
    if (!matches) return;
    let found = 0;
    matches.forEach((match, row) => {
        if (match && ++found <= 100) rows.push(row);
    });
    byId("found").textContent = found > rows.length
        ? `${countFormat.format(found)} found, the first ${rows.length} listed, all in colour`
        : `${countFormat.format(found)} found`;
    for (const row of rows)
        hits.append(element("li", {}, element("button", {
            type: "button", onclick: () => { map.pick(row); map.goTo(row, 4); }},
            ATLAS.paths[row])));
}
