// The decision graph: every image by its density and its separation.
"use strict";

function startDecisionGraph() {
    const canvas = document.getElementById("decision");
    if (!canvas || !DECISION.density) return;
    const note = document.getElementById("decision-note");
    const density = decodeColumn(DECISION.density, Float32Array);
    const separation = decodeColumn(DECISION.separation, Float32Array);
    const cluster = decodeColumn(DECISION.cluster, Int32Array);
    const centres = decodeColumn(DECISION.centres, Int32Array);
    const cloud = new PointCloud(density, separation);
    const colours = [...DECISION.colours, NO_CATEGORY];
    const pixels = Uint32Array.from(colours, toPixel);
    const colourAt = (i) => cluster[i] < 0 ? colours.length - 1 : cluster[i];

    const projection = (scale) => {
        const margin = {left: 56, right: 24, top: 20, bottom: 44};
        const [x0, x1] = cloud.rangeX, y1 = cloud.rangeY[1] || 1;
        const ax = (canvas.clientWidth - margin.left - margin.right) / (x1 - x0 || 1);
        const ay = (canvas.clientHeight - margin.top - margin.bottom) / y1;
        return new Projection(ax * scale, (margin.left - x0 * ax) * scale, -ay * scale,
                              (canvas.clientHeight - margin.bottom) * scale);
    };

    const ticks = (low, high, most) => {
        const rough = (high - low || 1) / most, power = 10 ** Math.floor(Math.log10(rough));
        const step = [1, 2, 5, 10].map((factor) => factor * power).find((value) => value >= rough);
        const values = [];
        for (let i = Math.ceil(low / step); i * step <= high; ++i)
            values.push(Number((i * step).toPrecision(6)));
        return values;
    };

    const drawAxes = (context, place, ink, quiet) => {
        const floor = place.top(0);
        context.font = "12px system-ui, sans-serif";
        context.fillStyle = quiet;
        context.textAlign = "center";
        for (const value of ticks(...cloud.rangeX, 8))
            context.fillText(value, place.left(value), floor + 18);
        context.fillText("log density less its error", canvas.clientWidth / 2, floor + 36);
        context.textAlign = "right";
        for (const value of ticks(0, cloud.rangeY[1], 5))
            context.fillText(value, 48, place.top(value) + 4);
        context.textAlign = "left";
        context.fillText("separation", 8, 14);
        context.strokeStyle = quiet;
        context.beginPath();
        context.moveTo(52, 20);
        context.lineTo(52, floor + 2);
        context.lineTo(canvas.clientWidth - 16, floor + 2);
        context.stroke();
        context.strokeStyle = context.fillStyle = ink;
        context.lineWidth = 1.5;
        for (const row of centres) {
            if (row < 0) continue;
            const left = place.left(density[row]), top = place.top(separation[row]);
            context.beginPath();
            context.arc(left, top, 7, 0, 2 * Math.PI);
            context.stroke();
            if (cluster[row] >= 0) context.fillText(cluster[row], left + 10, top + 4);
        }
    };

    const draw = () => {
        const scale = window.devicePixelRatio || 1, style = getComputedStyle(canvas);
        canvas.width = Math.round(canvas.clientWidth * scale);
        canvas.height = Math.round(canvas.clientHeight * scale);
        const context = canvas.getContext("2d");
        const image = context.createImageData(canvas.width, canvas.height);
        new Uint32Array(image.data.buffer).fill(toPixel(style.getPropertyValue("--ground").trim()));
        const radius = Math.max(1.2, Math.min(4, 12 * density.length ** -0.2)) * scale;
        canvas.dataset.drawn = cloud.draw(image, projection(scale), radius, 0.8,
                                          (i) => pixels[colourAt(i)]);
        context.putImageData(image, 0, 0);
        context.setTransform(scale, 0, 0, scale, 0, 0);
        drawAxes(context, projection(1), style.getPropertyValue("--ink"),
                 style.getPropertyValue("--quiet"));
    };

    const under = (event) => {
        const box = canvas.getBoundingClientRect();
        return cloud.nearest(event.clientX - box.left, event.clientY - box.top, 12, projection(1),
                             () => true);
    };
    canvas.onpointermove = (event) => {
        const row = under(event);
        canvas.style.cursor = row < 0 ? "" : "pointer";
        note.textContent = row < 0 ? "\u00a0"
            : `image ${row}, ${clusterNames.title(cluster[row])}: log density less its error ` +
              `${density[row].toFixed(2)}, separation ${separation[row].toPrecision(3)}; ` +
              "click to see it on the map";
    };
    canvas.onclick = (event) => {
        const row = under(event);
        if (row >= 0) location.href = `index.html#image=${row}`;
    };
    if (canvas.clientWidth > 0) draw();  // the observer waits for a frame
    new ResizeObserver(draw).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}
startDecisionGraph();
