// Names that a scientist gave to the clusters, kept in this browser and shown on every page.
"use strict";

const clusterNames = (() => {
    // A new clustering has another fingerprint, and so starts without names.
    const key = "nanoatlas-names-" + document.documentElement.dataset.atlas;
    let names = {};
    try {
        names = JSON.parse(localStorage.getItem(key)) || {};
    } catch {
        names = {};  // no storage for pages from disk in this browser
    }
    const save = () => {
        try {
            localStorage.setItem(key, JSON.stringify(names));
        } catch {
            // Without storage, names last as long as the page.
        }
    };
    return {
        get: (cluster) => names[cluster] || "",
        set(cluster, name) {
            if (name) names[cluster] = name;
            else delete names[cluster];
            save();
        },
        clear() {
            names = {};
            save();
        },
        /** "Cluster 7", or "Cluster 7 · Nanowires". */
        title(cluster) {
            if (cluster < 0) return "No cluster";
            return names[cluster] ? `Cluster ${cluster} · ${names[cluster]}` : `Cluster ${cluster}`;
        },
    };
})();

function showClusterNames() {
    for (const place of document.querySelectorAll("[data-cluster]"))
        place.textContent = clusterNames.title(Number(place.dataset.cluster));
}
showClusterNames();
