// What part of the map the canvas shows: data to CSS pixels, one scale for both axes, up is up.
"use strict";

class View {
    constructor(canvas) {
        this.canvas = canvas;
        this.x = this.y = 0;   // of the data, in the middle of the canvas
        this.scale = 1;        // CSS pixels a unit of the data
        this.wholeScale = 1;   // that at which all is shown
    }

    get box() {
        return {width: this.canvas.clientWidth || 1, height: this.canvas.clientHeight || 1};
    }

    fit([x0, x1], [y0, y1], most = Infinity) {
        const {width, height} = this.box, margin = 48;
        const scale = Math.min((width - 2 * margin) / (x1 - x0 || 1e-9),
                               (height - 2 * margin) / (y1 - y0 || 1e-9), most);
        this.x = (x0 + x1) / 2;
        this.y = (y0 + y1) / 2;
        this.scale = Math.max(scale, 1e-12);
    }

    showAll({rangeX, rangeY}) {
        const isPoint = rangeX[0] === rangeX[1] && rangeY[0] === rangeY[1];
        this.fit(rangeX, rangeY, isPoint ? 1 : Infinity);
        this.wholeScale = this.scale;
    }

    /** How many times larger than where all is shown. */
    get magnified() {
        return this.scale / this.wholeScale;
    }

    /** From data to pixels of a canvas with `density` pixels per CSS pixel. */
    projection(density) {
        const {width, height} = this.box, {x, y, scale} = this;
        return new Projection(scale * density, (width / 2 - x * scale) * density,
                              -scale * density, (height / 2 + y * scale) * density);
    }

    pan(dx, dy) {
        this.x -= dx / this.scale;
        this.y += dy / this.scale;
    }

    /** The place on the canvas stays where it is. */
    zoom(factor, left = this.box.width / 2, top = this.box.height / 2) {
        const scale = Math.max(this.wholeScale / 4,
                               Math.min(this.wholeScale * 20000, this.scale * factor));
        const place = this.projection(1);
        const x = place.x(left), y = place.y(top);
        this.x = x - (x - this.x) * this.scale / scale;
        this.y = y - (y - this.y) * this.scale / scale;
        this.scale = scale;
    }

    centreOn(x, y, magnified = 0) {
        this.x = x;
        this.y = y;
        this.scale = Math.max(this.scale, this.wholeScale * magnified);
    }
}
