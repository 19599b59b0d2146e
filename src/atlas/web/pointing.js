// Mouse, pen, fingers and keys on the map.
"use strict";

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
            const {width, height} = map.view.box;
            map.pick(map.cloud.nearest(width / 2, height / 2, Math.max(width, height),
                                       map.view.projection(1), (i) => map.accepts(i)));
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
