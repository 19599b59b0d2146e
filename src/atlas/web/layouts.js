// Where the points lie: on a map made for looking at, if there is one, or by two axes of the
// embedding.
"use strict";

class Layouts {
    /** changed: called with the cloud to show. */
    constructor(axes, changed) {
        this.axes = axes;
        this.changed = changed;
        this.across = 0;
        this.up = Math.min(1, axes.length - 1);
        this.mapped = ATLAS.placement && new PointCloud(
            decodeColumn(ATLAS.placement.x, Float32Array),
            decodeColumn(ATLAS.placement.y, Float32Array));
        this.byAxes = !this.mapped;
        this.fillFields();
    }

    cloud() {
        return this.byAxes ? new PointCloud(this.axes[this.across], this.axes[this.up])
                           : this.mapped;
    }

    fillFields() {
        const names = ATLAS.axes.map((axis, at) => [at, axis.name]);
        fillSelect(byId("axis-x"), names, this.across, (at) => this.choose({across: Number(at)}));
        fillSelect(byId("axis-y"), names, this.up, (at) => this.choose({up: Number(at)}));
        if (this.mapped) {
            fillSelect(byId("layout"),
                       [["map", ATLAS.placement.title], ["axes", "Axes of the embedding"]],
                       "map", (value) => this.choose({byAxes: value === "axes"}));
            byId("layout-note").textContent = ATLAS.placement.note;
        }
        this.showFields();
    }

    showFields() {
        byId("layout-field").hidden = !this.mapped;
        byId("layout-note").hidden = this.byAxes;
        byId("axes-field").hidden = !this.byAxes;
    }

    /** Some of across, up, byAxes. */
    choose(choice) {
        Object.assign(this, choice);
        byId("layout").value = this.byAxes ? "axes" : "map";
        this.showFields();
        this.changed(this.cloud());
    }
}

function fillSelect(select, names, chosen, whenChanged) {
    names.forEach(([value, title]) => select.append(element("option", {value}, title)));
    select.value = chosen;
    select.onchange = () => whenChanged(select.value);
}
