// Thumbnails of all images, out of sheets that are loaded when they are first wanted.
"use strict";

class Pictures {
    /** whenLoaded: called when a sheet that was asked for has come. */
    constructor(tiles, whenLoaded) {
        this.size = tiles.size;
        this.tiles = tiles;
        this.place = decodeColumn(tiles.place, Int32Array);
        this.order = new Int32Array(this.place.length);
        this.place.forEach((tile, row) => { this.order[tile] = row; });
        this.whenLoaded = whenLoaded;
        this.sheets = new Map();
    }

    /** The sheet if it is here; else asks for it. The least recently used of many is let go. */
    sheet(number) {
        let image = this.sheets.get(number);
        if (image) {
            this.sheets.delete(number);
        } else {
            image = new Image();
            image.onload = () => this.whenLoaded();
            image.src = `${this.tiles.stem}${number}.jpg`;
        }
        this.sheets.set(number, image);
        if (this.sheets.size > Pictures.most) this.sheets.delete(this.sheets.keys().next().value);
        return image.complete && image.naturalWidth > 0 ? image : null;
    }

    /** Draws the picture of a row into a square; false if it has yet to load. */
    draw(context, row, left, top, side) {
        const {columns, perSheet, size} = this.tiles;
        const tile = this.place[row], rest = tile % perSheet;
        const sheet = this.sheet(Math.floor(tile / perSheet));
        if (!sheet) return false;
        context.imageSmoothingQuality = "high";
        context.drawImage(sheet, rest % columns * size, Math.floor(rest / columns) * size, size,
                          size, left, top, side, side);
        return true;
    }

    /** The row whose picture lies so many places further along the path through the map. */
    along(row, steps) {
        const count = this.order.length;
        return this.order[(this.place[row] + steps + count) % count];
    }
}
Pictures.most = 96;

/** A picture on a canvas of its own, drawn once its sheet is here. */
class PictureCanvas {
    constructor(pictures, canvas, side) {
        this.pictures = pictures;
        this.canvas = canvas;
        this.side = side;
        this.row = -1;
        const scale = window.devicePixelRatio || 1;
        canvas.width = canvas.height = Math.round(side * scale);
        canvas.style.width = canvas.style.height = side + "px";
    }
    show(row) {
        this.row = row;
        this.refresh();
    }
    refresh() {
        if (this.row < 0) return;
        const context = this.canvas.getContext("2d");
        context.clearRect(0, 0, this.canvas.width, this.canvas.height);
        this.pictures.draw(context, this.row, 0, 0, this.canvas.width);
    }
}
