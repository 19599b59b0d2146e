// Draws the map: points, pictures, names, and rings round the images that are pointed at or picked.
"use strict";

class Painter {
    constructor(map) {
        this.map = map;
        this.laid = [];        // pictures on the map, where they lie
        this.middles = null;   // of the colouring's categories
        this.stale = true;     // more than a ring has changed
    }

    forgetMiddles() {
        this.middles = null;
    }

    draw() {
        const began = performance.now(), {canvas, view} = this.map;
        const density = window.devicePixelRatio || 1, {width, height} = view.box;
        const w = Math.round(width * density), h = Math.round(height * density);
        if (canvas.width !== w || canvas.height !== h) {
            canvas.width = w;
            canvas.height = h;
            this.image = null;
        }
        const context = canvas.getContext("2d");
        if (this.stale || !this.image) this.drawn = this.drawPoints(context, w, h, density);
        this.stale = false;
        context.putImageData(this.image, 0, 0);
        context.setTransform(density, 0, 0, density, 0, 0);
        const overlay = view.projection(1);
        if (byId("show-pictures").checked) this.drawPictures(context, overlay);
        if (byId("show-names").checked) this.drawNames(context, overlay);
        for (const row of [this.map.hovered, this.map.picked]) this.ring(context, overlay, row);
        this.report(this.drawn, performance.now() - began);
    }

    get radius() {
        const few = Math.max(1.1, Math.min(6, 14 * ATLAS.count ** -0.2));
        return Math.min(9, few * Math.max(1, this.map.view.magnified) ** 0.3);
    }

    /** Into this.image, over the whole ground. Returns how many points there are. */
    drawPoints(context, width, height, density) {
        this.image = this.image || context.createImageData(width, height);
        const ground = getComputedStyle(this.map.canvas).getPropertyValue("--ground").trim();
        new Uint32Array(this.image.data.buffer).fill(toPixel(ground));
        const {cloud, selection} = this.map, place = this.map.view.projection(density);
        const {index, pixels} = this.map.colouring;
        const shown = Uint8Array.from(pixels, (_, category) => selection.shows(category) ? 1 : 0);
        const radius = this.radius * density;
        const faint = toPixel(NO_CATEGORY);
        if (!selection.hasFore)
            return cloud.draw(this.image, place, radius, 0.85,
                              (i) => shown[index[i]] ? pixels[index[i]] : 0);
        const isFore = (i) => selection.isFore(i, index[i]);
        return cloud.draw(this.image, place, radius, 0.16,
                          (i) => shown[index[i]] && !isFore(i) ? faint : 0) +
               cloud.draw(this.image, place, radius * 1.15, 0.95,
                          (i) => shown[index[i]] && isFore(i) ? pixels[index[i]] : 0);
    }

    /** One picture in each cell of a grid that has an image: the one nearest to the cell's middle. */
    drawPictures(context, place) {
        const {cloud, colouring, pictures} = this.map, {width, height} = this.map.view.box;
        const side = 72;
        this.laid = [];
        for (let top = 0; top < height; top += side)
            for (let left = 0; left < width; left += side) {
                const row = cloud.nearest(left + side / 2, top + side / 2, side / 2, place,
                                          (i) => this.map.accepts(i));
                if (row < 0) continue;
                const x = left + 3, y = top + 3, inner = side - 6;
                context.fillStyle = colouring.colours[colouring.index[row]];
                context.fillRect(x - 2, y - 2, inner + 4, inner + 4);
                pictures.draw(context, row, x, y, inner);
                this.laid.push({row, left: x, right: x + inner, top: y, bottom: y + inner});
            }
    }

    /** The picture that lies at a place. */
    pictureAt(left, top) {
        return this.laid.find((box) => left >= box.left && left <= box.right &&
                                       top >= box.top && top <= box.bottom);
    }

    /** Names where most of their categories lie, the largest first, none over another. */
    drawNames(context, place) {
        const {colouring, selection} = this.map;
        if (colouring.kind !== "category") return;
        this.middles = this.middles || this.findMiddles();
        context.font = "600 12px system-ui, sans-serif";
        context.textAlign = "center";
        context.textBaseline = "middle";
        context.lineWidth = 4;
        context.lineJoin = "round";
        const style = getComputedStyle(this.map.canvas);
        const taken = [];
        for (const {index, x, y} of this.middles) {
            if (!selection.shows(index)) continue;
            const name = colouring.name(index).replace(/^Cluster (\d+)( · )?/, "$1 ").trim();
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

    /**
     * Of each category the mean of its points in the window of 3 x 3 cells that holds most of them:
     * where a category lies in parts, the mean of all would be on another's points, or on none.
     */
    findMiddles() {
        const {cloud} = this.map, {index, counts, without_index} = this.map.colouring;
        const side = 24, cells = Array.from(counts, () => new Map());
        const column = (i) => cloud.cell(cloud.x[i], cloud.rangeX, side);
        const row = (i) => cloud.cell(cloud.y[i], cloud.rangeY, side);
        for (let i = 0; i < index.length; ++i) {
            const cell = row(i) * side + column(i), counted = cells[index[i]];
            counted.set(cell, (counted.get(cell) || 0) + 1);
        }
        const fullest = cells.map((counted) => fullestWindow(counted, side));
        const sums = Array.from(counts, () => [0, 0, 0]);
        for (let i = 0; i < index.length; ++i) {
            const window = fullest[index[i]];
            if (Math.abs(row(i) - window.row) > 1 ||
                Math.abs(column(i) - window.column) > 1) continue;
            const sum = sums[index[i]];
            sum[0] += cloud.x[i];
            sum[1] += cloud.y[i];
            ++sum[2];
        }
        return sums.map(([x, y, count], at) => ({index: at, x: x / count, y: y / count}))
            .filter(({index: at}) => at !== without_index && counts[at] > 0)
            .sort((a, b) => counts[b.index] - counts[a.index]);
    }

    ring(context, place, row) {
        if (row < 0) return;
        const {canvas, cloud} = this.map;
        context.beginPath();
        context.arc(place.left(cloud.x[row]), place.top(cloud.y[row]),
                    this.radius + 4, 0, 2 * Math.PI);
        context.strokeStyle = getComputedStyle(canvas).getPropertyValue("--ink");
        context.lineWidth = 2;
        context.stroke();
    }

    report(drawn, milliseconds) {
        const status = byId("status");
        const fore = this.map.selection.matches ? " · search in the fore" : "";
        status.textContent = `${countFormat.format(drawn)} of ${countFormat.format(ATLAS.count)} ` +
            `images, none left out${fore}`;
        if (drawn < ATLAS.count)
            status.textContent = `${countFormat.format(drawn)} of ` +
                `${countFormat.format(ATLAS.count)} images; the others are switched off`;
        status.dataset.drawn = drawn;
        status.dataset.milliseconds = milliseconds.toFixed(1);
    }
}

/** The middle of the 3 x 3 cells that hold most; cells: a count by row * side + column. */
function fullestWindow(cells, side) {
    let best = {row: 0, column: 0}, most = 0;
    for (const cell of cells.keys()) {
        const row = Math.floor(cell / side), column = cell % side;
        let count = 0;
        for (let y = Math.max(0, row - 1); y <= Math.min(side - 1, row + 1); ++y)
            for (let x = Math.max(0, column - 1); x <= Math.min(side - 1, column + 1); ++x)
                count += cells.get(y * side + x) || 0;
        if (count > most) {
            most = count;
            best = {row, column};
        }
    }
    return best;
}
