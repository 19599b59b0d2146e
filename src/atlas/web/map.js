// The map: what is shown and picked; ties the parts together.
"use strict";

const byId = (id) => document.getElementById(id);

class AtlasMap {
    constructor() {
        this.canvas = byId("cloud");
        this.axes = ATLAS.axes.map((axis) => decodeColumn(axis.data, Float32Array));
        this.colourings = ATLAS.colourings.map((description) => new Colouring(description));
        this.colouring = this.colourings[0];
        this.selection = new Selection(ATLAS.count);
        this.pictures = new Pictures(ATLAS.tiles, () => this.pictureCame());
        this.picked = -1;
        this.hovered = -1;
        this.view = new View(this.canvas);
        this.painter = new Painter(this);
        this.hoverCard = new HoverCard(this);
        this.pinnedCard = new PinnedCard(this);
        this.layouts = new Layouts(this.axes, (cloud) => this.show(cloud));
        this.show(this.layouts.cloud());
    }

    show(cloud) {
        this.cloud = cloud;
        this.painter.forgetMiddles();
        this.showAll();
    }

    // ---- view ----

    showAll() {
        this.view.showAll(this.cloud);
        this.redraw();
    }

    pan(dx, dy) {
        this.view.pan(dx, dy);
        this.redraw();
    }

    zoom(factor, left, top) {
        this.view.zoom(factor, left, top);
        this.redraw();
    }

    goTo(row, magnified) {
        this.view.centreOn(this.cloud.x[row], this.cloud.y[row], magnified);
        this.redraw();
    }

    /** ring: nothing but the ring round a point has changed. */
    redraw(ring = false) {
        if (!ring) this.painter.stale = true;
        if (this.waiting) return;
        this.waiting = true;
        requestAnimationFrame(() => {
            this.waiting = false;
            this.painter.draw();
        });
    }

    pictureCame() {
        this.hoverCard.picture.refresh();
        this.pinnedCard.refresh();
        if (byId("show-pictures").checked) this.redraw();
    }

    // ---- pointing and picking ----

    accepts(i) {
        const index = this.colouring.index[i];
        return this.selection.shows(index) && this.selection.isFore(i, index);
    }

    /** The image at a place: a picture that lies there, else the nearest point. */
    under(left, top) {
        const picture = byId("show-pictures").checked && this.painter.pictureAt(left, top);
        if (picture) return picture.row;
        return this.cloud.nearest(left, top, Math.max(10, this.painter.radius + 3),
                                  this.view.projection(1), (i) => this.accepts(i));
    }

    hover(left, top) {
        const row = this.under(left, top);
        this.canvas.style.cursor = row < 0 ? "" : "pointer";
        if (row !== this.hovered) {
            this.hovered = row;
            this.redraw(true);
            if (row >= 0) this.hoverCard.fill(row);
        }
        if (row < 0) this.hoverCard.hide();
        else this.hoverCard.showAt(left, top);
    }

    leave() {
        this.hovered = -1;
        this.hoverCard.hide();
        this.redraw(true);
    }

    /** row: -1 lets go. */
    pick(row) {
        this.picked = row;
        this.pinnedCard.show(row);
        try {
            history.replaceState(null, "", row >= 0 ? `#image=${row}` : location.pathname);
        } catch {
            // Pages from disk may not do so in every browser; the address then stays as it is.
        }
        this.redraw();
    }

    // ---- the side ----

    colourBy(key) {
        this.colouring = this.colourings.find((colouring) => colouring.key === key) ||
            this.colourings[0];
        byId("colour-by").value = this.colouring.key;
        this.selection.forgetCategories();
        this.painter.forgetMiddles();
        this.showLegend();
        this.redraw();
    }

    showLegend() {
        showLegend(byId("legend"), this.colouring, this.selection, (rebuild) => {
            if (rebuild) this.showLegend();
            this.redraw();
        });
    }

    /** The category in the fore, and the view on it. */
    showCategory(key, index) {
        this.colourBy(key);
        this.selection.only = index;
        this.showLegend();
        const rows = [...this.colouring.index.keys()].filter((i) => this.colouring.index[i] === index);
        if (rows.length > 1)
            this.view.fit(rangeOf(rows.map((i) => this.cloud.x[i])),
                          rangeOf(rows.map((i) => this.cloud.y[i])), this.view.wholeScale * 12);
        this.redraw();
    }

    search(text) {
        this.selection.matches = searchPaths(text);
        listHits(this, this.selection.matches);
        this.redraw();
    }

    /** #image=12, #cluster=3, #by=label, #layout=axes */
    follow(hash) {
        const wanted = new URLSearchParams(hash.slice(1));
        if (wanted.has("layout") && this.layouts.mapped)
            this.layouts.choose({byAxes: wanted.get("layout") === "axes"});
        if (wanted.has("by")) this.colourBy(wanted.get("by"));
        if (wanted.has("cluster")) this.showCategory("cluster", Number(wanted.get("cluster")));
        const row = Number(wanted.get("image") ?? -1);
        if (Number.isInteger(row) && row >= 0 && row < ATLAS.count) {
            this.pick(row);
            this.goTo(row, 4);
        }
    }
}

/** Paths are long and wanted only for search and captions: they come after the first drawing. */
function loadPaths(whenLoaded) {
    const script = element("script", {src: "data/paths.js"});
    script.onload = whenLoaded;
    document.body.append(script);
}

function start() {
    const map = new AtlasMap();
    fillSelect(byId("colour-by"), map.colourings.map((c) => [c.key, c.title]), map.colouring.key,
               (key) => map.colourBy(key));
    byId("show-pictures").onchange = byId("show-names").onchange = () => map.redraw();
    byId("zoom-in").onclick = () => map.zoom(1.5);
    byId("zoom-out").onclick = () => map.zoom(1 / 1.5);
    byId("zoom-all").onclick = () => map.showAll();
    byId("search-form").onsubmit = (event) => event.preventDefault();
    byId("search").oninput = () => map.search(byId("search").value);
    listenToPointers(map);
    listenToKeys(map);
    new ResizeObserver(() => map.redraw()).observe(map.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => map.redraw());
    map.colourBy("cluster");
    map.painter.draw();
    loadPaths(() => {
        byId("search").disabled = false;
        map.follow(location.hash);
        byId("status").dataset.ready = "yes";
    });
    window.onhashchange = () => map.follow(location.hash);
    return map;
}

const atlasMap = start();
