// Points from typed arrays: drawn straight into pixels, found again by a grid.
"use strict";

/** Coverage of a disc's pixels, [size, size] in 0..256, size odd. */
function discMask(radius) {
    const reach = Math.max(0, Math.ceil(radius - 0.5)), size = 2 * reach + 1;
    const mask = new Uint16Array(size * size);
    for (let y = -reach; y <= reach; ++y)
        for (let x = -reach; x <= reach; ++x)
            mask[(y + reach) * size + x + reach] =
                Math.round(256 * Math.max(0, Math.min(1, radius + 0.5 - Math.hypot(x, y))));
    return {reach, size, mask};
}

/** Where a point lies on the canvas [device px]: left = x * ax + bx, top = y * ay + by. */
class Projection {
    constructor(ax, bx, ay, by) {
        Object.assign(this, {ax, bx, ay, by});
    }
    left(x) { return x * this.ax + this.bx; }
    top(y) { return y * this.ay + this.by; }
    x(left) { return (left - this.bx) / this.ax; }
    y(top) { return (top - this.by) / this.ay; }
}

class PointCloud {
    /** x, y: Float32Array of one length. */
    constructor(x, y) {
        this.x = x;
        this.y = y;
        this.rangeX = rangeOf(x);
        this.rangeY = rangeOf(y);
        this.buildGrid();
    }

    /** Rows sorted by cell of a grid with about two points a cell. */
    buildGrid() {
        const side = this.side = Math.max(1, Math.min(512, Math.ceil(Math.sqrt(this.x.length / 2))));
        const start = this.start = new Uint32Array(side * side + 1);
        const cells = new Uint32Array(this.x.length);
        for (let i = 0; i < cells.length; ++i) {
            cells[i] = this.row(this.y[i]) * side + this.column(this.x[i]);
            ++start[cells[i] + 1];
        }
        for (let c = 0; c < side * side; ++c) start[c + 1] += start[c];
        const next = start.slice();
        this.sorted = new Uint32Array(cells.length);
        for (let i = 0; i < cells.length; ++i) this.sorted[next[cells[i]]++] = i;
    }

    cell(value, [low, high], side = this.side) {
        const place = (value - low) / (high - low || 1) * side;
        return Math.max(0, Math.min(side - 1, Math.floor(place)));
    }
    column(x) { return this.cell(x, this.rangeX); }
    row(y) { return this.cell(y, this.rangeY); }

    /** Calls visit(i) for the points of all cells that touch the rectangle. */
    visitNear(x0, x1, y0, y1, visit) {
        const left = this.column(Math.min(x0, x1)), right = this.column(Math.max(x0, x1));
        const low = this.row(Math.min(y0, y1)), high = this.row(Math.max(y0, y1));
        for (let row = low; row <= high; ++row) {
            const end = this.start[row * this.side + right + 1];
            for (let s = this.start[row * this.side + left]; s < end; ++s) visit(this.sorted[s]);
        }
    }

    /** The point nearest to a place on the canvas, at most reach px away, that accept takes; or -1. */
    nearest(left, top, reach, projection, accept) {
        let best = -1, limit = reach * reach;
        this.visitNear(projection.x(left - reach), projection.x(left + reach),
                       projection.y(top - reach), projection.y(top + reach), (i) => {
            const dx = projection.left(this.x[i]) - left, dy = projection.top(this.y[i]) - top;
            const squared = dx * dx + dy * dy;
            if (squared <= limit && accept(i)) {
                best = i;
                limit = squared;
            }
        });
        return best;
    }

    /**
     * Draws all points that pixelOf gives a colour (a Uint32 pixel; 0: not drawn) into an
     * ImageData. Points come in a scattered order, so that no category hides another by its place
     * in the file. Returns how many were drawn, off the canvas or on it.
     */
    draw(image, projection, radius, opacity, pixelOf) {
        const target = new Uint32Array(image.data.buffer);
        const {width, height} = image;
        const {reach, size, mask} = discMask(radius);
        const strength = mask.map((coverage) => Math.round(coverage * opacity));
        const count = this.x.length;
        const step = coprimeStep(count);
        let drawn = 0;
        for (let k = 0, i = 0; k < count; ++k, i = (i + step) % count) {
            const pixel = pixelOf(i);
            if (pixel === 0) continue;
            ++drawn;
            const left = Math.round(projection.left(this.x[i])) - reach;
            const top = Math.round(projection.top(this.y[i])) - reach;
            if (left < 0 || top < 0 || left + size > width || top + size > height) continue;
            for (let y = 0; y < size; ++y)
                for (let x = 0, at = (top + y) * width + left; x < size; ++x, ++at)
                    target[at] = blend(target[at], pixel, strength[y * size + x]);
        }
        return drawn;
    }
}

/** A step that visits 0..count-1 once each, far from the last one. */
function coprimeStep(count) {
    const divisor = (a, b) => b === 0 ? a : divisor(b, a % b);
    let step = Math.max(1, Math.floor(count * 0.6180339887));
    while (divisor(count, step) > 1) ++step;
    return step;
}

/** share/256 of pixel over the ground; red and blue go together through one product. */
function blend(ground, pixel, share) {
    if (share === 0) return ground;
    const rest = 256 - share;
    const redBlue = ((ground & 0xff00ff) * rest + (pixel & 0xff00ff) * share) >>> 8 & 0xff00ff;
    const green = ((ground & 0xff00) * rest + (pixel & 0xff00) * share) >>> 8 & 0xff00;
    return (0xff000000 | redBlue | green) >>> 0;
}
