// Names for clusters, and the file of labels that comes of them.
"use strict";

/** A field of a CSV file (RFC 4180). */
function csvField(text) {
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** path,label: a line for each image in a cluster that has a name. */
function labelsFile() {
    const clusters = decodeColumn(ATLAS.colourings[0].data, Int32Array);
    const lines = ["path,label"];
    clusters.forEach((cluster, row) => {
        const name = cluster < 0 ? "" : clusterNames.get(cluster);
        if (name) lines.push(csvField(ATLAS.root + ATLAS.paths[row]) + "," + csvField(name));
    });
    return lines.join("\n") + "\n";
}

function startLabelling() {
    const fields = [...document.querySelectorAll("[data-name-of]")];
    const show = () => {
        for (const field of fields) field.value = clusterNames.get(Number(field.dataset.nameOf));
        const named = fields.filter((field) => field.value).length;
        document.getElementById("named").textContent =
            `${named} of ${fields.length} clusters named`;
        showClusterNames();
    };
    for (const field of fields)
        field.onchange = () => {
            clusterNames.set(Number(field.dataset.nameOf), field.value.trim());
            show();
        };
    document.getElementById("download").onclick = () => {
        const file = new Blob([labelsFile()], {type: "text/csv"});
        const link = element("a", {href: URL.createObjectURL(file), download: "labels.csv"});
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    };
    document.getElementById("forget").onclick = () => {
        clusterNames.clear();
        show();
    };
    show();
}
startLabelling();
