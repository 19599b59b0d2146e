// The map: draws, moves, and ties the parts together.
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
        this.hoverPicture = new PictureCanvas(this.pictures, byId("hover").querySelector("canvas"),
                                              Math.min(192, Math.max(128, ATLAS.tiles.size)));
        this.laid = [];           // pictures on the map, where they lie
        this.shown = [];          // canvases of the side that wait for their sheets
        this.chooseAxes(0, Math.min(1, this.axes.length - 1));
    }

    chooseAxes(across, up) {
        this.across = across;
        this.up = up;
        this.cloud = new PointCloud(this.axes[across], this.axes[up]);
        this.middles = null;
        this.showAll();
    }

    // ---- view: data to CSS pixels, one scale for both axes, up is up ----

    get box() {
        return {width: this.canvas.clientWidth || 1, height: this.canvas.clientHeight || 1};
    }

    fit([x0, x1], [y0, y1], most = Infinity) {
        const {width, height} = this.box, margin = 48;
        const scale = Math.min((width - 2 * margin) / (x1 - x0 || 1e-9),
                               (height - 2 * margin) / (y1 - y0 || 1e-9), most);
        this.view = {x: (x0 + x1) / 2, y: (y0 + y1) / 2, scale: Math.max(scale, 1e-12)};
    }

    showAll() {
        const [x0, x1] = this.cloud.rangeX, [y0, y1] = this.cloud.rangeY;
        const isPoint = x0 === x1 && y0 === y1;
        this.fit(this.cloud.rangeX, this.cloud.rangeY, isPoint ? 1 : Infinity);
        this.wholeScale = this.view.scale;
        this.redraw();
    }

    /** From data to pixels of a canvas with `density` pixels per CSS pixel. */
    projection(density) {
        const {width, height} = this.box, {x, y, scale} = this.view;
        return new Projection(scale * density, (width / 2 - x * scale) * density,
                              -scale * density, (height / 2 + y * scale) * density);
    }

    pan(dx, dy) {
        this.view.x -= dx / this.view.scale;
        this.view.y += dy / this.view.scale;
        this.redraw();
    }

    zoom(factor, left = this.box.width / 2, top = this.box.height / 2) {
        const scale = Math.max(this.wholeScale / 4, Math.min(this.wholeScale * 20000,
                                                             this.view.scale * factor));
        const place = this.projection(1);
        const x = place.x(left), y = place.y(top);
        this.view.x = x - (x - this.view.x) * this.view.scale / scale;
        this.view.y = y - (y - this.view.y) * this.view.scale / scale;
        this.view.scale = scale;
        this.redraw();
    }

    goTo(row, magnified) {
        this.view.x = this.cloud.x[row];
        this.view.y = this.cloud.y[row];
        if (magnified) this.view.scale = Math.max(this.view.scale, this.wholeScale * magnified);
        this.redraw();
    }

    // ---- drawing ----

    /** ring: nothing but the ring round a point has changed. */
    redraw(ring = false) {
        if (!ring) this.stale = true;
        if (this.waiting) return;
        this.waiting = true;
        requestAnimationFrame(() => {
            this.waiting = false;
            this.draw();
        });
    }

    draw() {
        const began = performance.now();
        const density = window.devicePixelRatio || 1, {width, height} = this.box;
        const w = Math.round(width * density), h = Math.round(height * density);
        if (this.canvas.width !== w || this.canvas.height !== h) {
            this.canvas.width = w;
            this.canvas.height = h;
            this.image = null;
        }
        const context = this.canvas.getContext("2d");
        if (this.stale || !this.image) this.drawn = this.drawPoints(context, w, h, density);
        this.stale = false;
        context.putImageData(this.image, 0, 0);
        context.setTransform(density, 0, 0, density, 0, 0);
        const overlay = this.projection(1);
        if (byId("show-pictures").checked) this.drawPictures(context, overlay);
        if (byId("show-names").checked) this.drawNames(context, overlay);
        for (const row of [this.hovered, this.picked]) this.ring(context, overlay, row);
        this.report(this.drawn, performance.now() - began);
    }

    get radius() {
        const few = Math.max(1.1, Math.min(6, 14 * ATLAS.count ** -0.2));
        return Math.min(9, few * Math.max(1, this.view.scale / this.wholeScale) ** 0.3);
    }

    /** Into this.image, over the whole ground. Returns how many points there are. */
    drawPoints(context, width, height, density) {
        this.image = this.image || context.createImageData(width, height);
        const ground = getComputedStyle(this.canvas).getPropertyValue("--ground").trim();
        new Uint32Array(this.image.data.buffer).fill(toPixel(ground));
        const place = this.projection(density);
        const {index, pixels} = this.colouring, selection = this.selection;
        const shown = Uint8Array.from(pixels, (_, category) => selection.shows(category) ? 1 : 0);
        const radius = this.radius * density;
        const faint = toPixel(NO_CATEGORY);
        if (!selection.hasFore)
            return this.cloud.draw(this.image, place, radius, 0.85,
                                   (i) => shown[index[i]] ? pixels[index[i]] : 0);
        const isFore = (i) => selection.isFore(i, index[i]);
        return this.cloud.draw(this.image, place, radius, 0.16,
                               (i) => shown[index[i]] && !isFore(i) ? faint : 0) +
               this.cloud.draw(this.image, place, radius * 1.15, 0.95,
                               (i) => shown[index[i]] && isFore(i) ? pixels[index[i]] : 0);
    }

    accepts(i) {
        const index = this.colouring.index[i];
        return this.selection.shows(index) && this.selection.isFore(i, index);
    }

    /** One picture in each cell of a grid that has an image: the one nearest to the cell's middle. */
    drawPictures(context, place) {
        const {width, height} = this.box, side = 72;
        this.laid = [];
        for (let top = 0; top < height; top += side)
            for (let left = 0; left < width; left += side) {
                const row = this.cloud.nearest(left + side / 2, top + side / 2, side / 2, place,
                                               (i) => this.accepts(i));
                if (row < 0) continue;
                const x = left + 3, y = top + 3, inner = side - 6;
                context.fillStyle = this.colouring.colours[this.colouring.index[row]];
                context.fillRect(x - 2, y - 2, inner + 4, inner + 4);
                this.pictures.draw(context, row, x, y, inner);
                this.laid.push({row, left: x, right: x + inner, top: y, bottom: y + inner});
            }
    }

    /** Names at the middles of their categories, the largest first, none over another. */
    drawNames(context, place) {
        if (this.colouring.kind !== "category") return;
        this.middles = this.middles || this.findMiddles();
        context.font = "600 12px system-ui, sans-serif";
        context.textAlign = "center";
        context.textBaseline = "middle";
        context.lineWidth = 4;
        context.lineJoin = "round";
        const style = getComputedStyle(this.canvas);
        const taken = [];
        for (const {index, x, y} of this.middles) {
            if (!this.selection.shows(index)) continue;
            const name = this.colouring.name(index).replace(/^Cluster (\d+)( · )?/, "$1 ").trim();
            const left = place.left(x), top = place.top(y);
            const half = context.measureText(name).width / 2 + 4;
            if (taken.some((box) => Math.abs(box.left - left) < box.half + half &&
                                    Math.abs(box.top - top) < 16)) continue;
            taken.push({left, top, half});
            context.strokeStyle = style.getPropertyValue("--ground");
            context.fillStyle = style.getPropertyValue("--ink");
            context.strokeText(name, left, top);
            context.fillText(name, left, top);
        }
    }

    findMiddles() {
        const {index, counts, without_index} = this.colouring;
        const sums = Array.from(counts, () => [0, 0]);
        for (let i = 0; i < index.length; ++i) {
            sums[index[i]][0] += this.cloud.x[i];
            sums[index[i]][1] += this.cloud.y[i];
        }
        return sums.map(([x, y], at) => ({index: at, x: x / counts[at], y: y / counts[at]}))
            .filter(({index: at}) => at !== without_index && counts[at] > 0)
            .sort((a, b) => counts[b.index] - counts[a.index]);
    }

    ring(context, place, row) {
        if (row < 0) return;
        context.beginPath();
        context.arc(place.left(this.cloud.x[row]), place.top(this.cloud.y[row]),
                    this.radius + 4, 0, 2 * Math.PI);
        context.strokeStyle = getComputedStyle(this.canvas).getPropertyValue("--ink");
        context.lineWidth = 2;
        context.stroke();
    }

    report(drawn, milliseconds) {
        const status = byId("status");
        const fore = this.selection.matches ? " · search in the fore" : "";
        status.textContent = `${countFormat.format(drawn)} of ${countFormat.format(ATLAS.count)} ` +
            `images, none left out${fore}`;
        if (drawn < ATLAS.count)
            status.textContent = `${countFormat.format(drawn)} of ` +
                `${countFormat.format(ATLAS.count)} images; the others are switched off`;
        status.dataset.drawn = drawn;
        status.dataset.milliseconds = milliseconds.toFixed(1);
    }

    pictureCame() {
        this.hoverPicture.refresh();
        for (const canvas of this.shown) canvas.refresh();
        if (byId("show-pictures").checked) this.redraw();
    }

    // ---- pointing and picking ----

    /** The image at a place: a picture that lies there, else the nearest point. */
    under(left, top) {
        const picture = byId("show-pictures").checked && this.laid.find((box) =>
            left >= box.left && left <= box.right && top >= box.top && top <= box.bottom);
        if (picture) return picture.row;
        return this.cloud.nearest(left, top, Math.max(10, this.radius + 3), this.projection(1),
                                  (i) => this.accepts(i));
    }

    hover(left, top) {
        const row = this.under(left, top), card = byId("hover");
        this.canvas.style.cursor = row < 0 ? "" : "pointer";
        if (row !== this.hovered) {
            this.hovered = row;
            this.redraw(true);
            if (row >= 0) {
                this.hoverPicture.show(row);
                card.lastElementChild.replaceChildren(pathText(row),
                                                      describe(row, this.colourings.slice(0, 6)));
            }
        }
        card.hidden = row < 0;
        if (row < 0) return;
        const {width, height} = this.box;
        const x = left + 18 + card.offsetWidth > width ? left - 18 - card.offsetWidth : left + 18;
        const y = Math.max(8, Math.min(top - 40, height - card.offsetHeight - 8));
        card.style.transform = `translate(${Math.max(8, x)}px,${y}px)`;
    }

    leave() {
        this.hovered = -1;
        byId("hover").hidden = true;
        this.redraw(true);
    }

    pick(row) {
        this.picked = row;
        this.shown = [];
        const place = byId("pinned");
        place.hidden = row < 0;
        place.replaceChildren();
        if (row >= 0) this.fillPinned(place, row);
        const wanted = row >= 0 ? `#image=${row}` : location.pathname;
        try {
            history.replaceState(null, "", wanted);
        } catch {
            // Pages from disk may not do so in every browser; the address then stays as it is.
        }
        this.redraw();
    }

    fillPinned(place, row) {
        const picture = (side, of) => {
            const canvas = element("canvas");
            const shown = new PictureCanvas(this.pictures, canvas, side);
            this.shown.push(shown);
            shown.show(of);
            return canvas;
        };
        const cluster = this.colourings[0].values[row];
        const links = element("p", {className: "links"});
        if (cluster >= 0)
            links.append(element("a", {href: `clusters/${cluster}.html`}, "Page of the cluster"));
        links.append(...originalLink(row));
        const similar = element("div", {className: "similar"});
        for (const other of mostSimilar(row, this.axes, 8))
            similar.append(element("button", {type: "button", ariaLabel: "pick a similar image",
                                              title: ATLAS.paths ? ATLAS.paths[other] : "",
                                              onclick: () => { this.pick(other); this.goTo(other); }},
                                   picture(66, other)));
        const close = element("button", {type: "button", className: "close", title: "Let go (Esc)",
                                         ariaLabel: "Let go", onclick: () => this.pick(-1)}, "×");
        place.append(close, picture(Math.min(288, place.clientWidth || 288), row), pathText(row),
                     describe(row, this.colourings), links);
        if (similar.childElementCount > 0)
            place.append(element("h2", {}, "Most similar, by the axes of the map"), similar);
        place.scrollIntoView({block: "nearest"});
    }

    // ---- the side ----

    colourBy(key) {
        this.colouring = this.colourings.find((colouring) => colouring.key === key) ||
            this.colourings[0];
        byId("colour-by").value = this.colouring.key;
        this.selection.forgetCategories();
        this.middles = null;
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
            this.fit(rangeOf(rows.map((i) => this.cloud.x[i])),
                     rangeOf(rows.map((i) => this.cloud.y[i])), this.wholeScale * 12);
        this.redraw();
    }

    search(text) {
        this.selection.matches = searchPaths(text);
        const {matches} = this.selection, hits = byId("hits");
        hits.replaceChildren();
        hits.hidden = !matches;
        byId("found").textContent = "";
        if (matches) {
            const rows = [];
            let found = 0;
            matches.forEach((match, row) => {
                if (match && ++found <= 100) rows.push(row);
            });
            byId("found").textContent = found > rows.length
                ? `${countFormat.format(found)} found, the first ${rows.length} listed, all in colour`
                : `${countFormat.format(found)} found`;
            for (const row of rows)
                hits.append(element("li", {}, element("button", {
                    type: "button", onclick: () => { this.pick(row); this.goTo(row, 4); }},
                    ATLAS.paths[row])));
        }
        this.redraw();
    }

    /** #image=12, #cluster=3, #by=label */
    follow(hash) {
        const wanted = new URLSearchParams(hash.slice(1));
        if (wanted.has("by")) this.colourBy(wanted.get("by"));
        if (wanted.has("cluster")) this.showCategory("cluster", Number(wanted.get("cluster")));
        const row = Number(wanted.get("image") ?? -1);
        if (Number.isInteger(row) && row >= 0 && row < ATLAS.count) {
            this.pick(row);
            this.goTo(row, 4);
        }
    }
}

function fillSelect(select, names, chosen, whenChanged) {
    names.forEach(([value, title]) => select.append(element("option", {value}, title)));
    select.value = chosen;
    select.onchange = () => whenChanged(select.value);
}

/** Mouse, pen and fingers: one drags or points, two pinch. */
function listenToPointers(map) {
    const canvas = map.canvas, down = new Map();
    let moved = 0;
    const place = (event) => {
        const box = canvas.getBoundingClientRect();
        return {left: event.clientX - box.left, top: event.clientY - box.top};
    };
    const spread = () => {
        const [a, b] = [...down.values()];
        return {gap: Math.hypot(a.left - b.left, a.top - b.top) || 1,
                left: (a.left + b.left) / 2, top: (a.top + b.top) / 2};
    };
    canvas.onpointerdown = (event) => {
        canvas.setPointerCapture(event.pointerId);
        if (down.size === 0) moved = 0;
        down.set(event.pointerId, place(event));
    };
    canvas.onpointermove = (event) => {
        const now = place(event), before = down.get(event.pointerId);
        if (!before) {
            map.hover(now.left, now.top);
            return;
        }
        const old = down.size === 2 ? spread() : null;
        down.set(event.pointerId, now);
        moved += Math.hypot(now.left - before.left, now.top - before.top);
        if (old) {
            const next = spread();
            map.pan(next.left - old.left, next.top - old.top);
            map.zoom(next.gap / old.gap, next.left, next.top);
        } else if (moved > 4) {
            map.leave();
            map.pan(now.left - before.left, now.top - before.top);
        }
    };
    canvas.onpointerup = (event) => {
        const {left, top} = place(event);
        if (down.size === 1 && moved <= 4) map.pick(map.under(left, top));
        down.delete(event.pointerId);
    };
    canvas.onpointercancel = (event) => down.delete(event.pointerId);
    canvas.onpointerleave = () => map.leave();
    canvas.addEventListener("wheel", (event) => {
        event.preventDefault();
        const {left, top} = place(event);
        const notch = event.deltaMode === 1 ? 20 : 1;
        map.zoom(Math.exp(-event.deltaY * notch * 0.0016), left, top);
    }, {passive: false});
    canvas.ondblclick = (event) => map.zoom(2, place(event).left, place(event).top);
}

function listenToKeys(map) {
    const step = 60;
    const along = (steps) => () => {
        if (map.picked < 0) return;
        map.pick(map.pictures.along(map.picked, steps));
        map.goTo(map.picked);
    };
    const actions = {
        "ArrowLeft": () => map.pan(step, 0), "ArrowRight": () => map.pan(-step, 0),
        "ArrowUp": () => map.pan(0, step), "ArrowDown": () => map.pan(0, -step),
        "+": () => map.zoom(1.4), "=": () => map.zoom(1.4), "-": () => map.zoom(1 / 1.4),
        "Home": () => map.showAll(), "Escape": () => map.pick(-1),
        "Enter": () => {
            const {width, height} = map.box;
            map.pick(map.cloud.nearest(width / 2, height / 2, Math.max(width, height),
                                       map.projection(1), (i) => map.accepts(i)));
        },
        "[": along(-1), "]": along(1),
    };
    map.canvas.onkeydown = (event) => {
        const action = actions[event.key];
        if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        action();
    };
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
    const axes = ATLAS.axes.map((axis, at) => [at, axis.name]);
    fillSelect(byId("axis-x"), axes, map.across, (at) => map.chooseAxes(Number(at), map.up));
    fillSelect(byId("axis-y"), axes, map.up, (at) => map.chooseAxes(map.across, Number(at)));
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
    map.draw();
    loadPaths(() => {
        byId("search").disabled = false;
        map.follow(location.hash);
        byId("status").dataset.ready = "yes";
    });
    window.onhashchange = () => map.follow(location.hash);
    return map;
}

const atlasMap = start();
