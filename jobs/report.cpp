// nanoatlas report: draws the atlas, a folder of pages to open in a browser.
#include "atlas/report.hpp"

#include <filesystem>

#include "base/log.hpp"
#include "base/options.hpp"
#include "comm/session.hpp"
#include "jobs/jobs.hpp"
#include "store/matrix.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {

int run_report(const Arguments& arguments, const comm::Communicator& world) {
    atlas::ReportOptions options;
    auto& files = options.files;
    base::OptionTable table("report", "draws the atlas, a folder of pages to open in a browser");
    table.add("corpus", files.corpus, "corpus.h5: the images").required();
    table.add("embedding", files.embedding, "matrix by whose rows images are compared").required();
    table.add("map", files.map,
              "matrix of two columns that place the images: reduce --method tsne; else the "
              "embedding's");
    table.add("clusters", files.clusters, "clusters.h5").required();
    table.add("predictions", files.predictions, "predictions.h5 of the corpus' images");
    table.add("metrics", files.metrics, "metrics.json of evaluate");
    table.add("scores", files.scores, "scores.json of score");
    table.add("dimension", files.dimension, "dimension.json of dimension");
    table.add("output", options.output, "folder of the atlas").required();
    if (table.parse(arguments) == base::Parsed::done) return comm::exit_status::done;

    store::Provenance provenance(table, world);
    for (const auto& file : {files.corpus, store::file_of_source(files.embedding), files.clusters,
                             store::file_of_source(files.map), files.predictions, files.metrics,
                             files.scores, files.dimension})
        if (!file.empty()) provenance.add_input(file);
    const auto summary = atlas::write_atlas(options, provenance, world);
    base::print(fmt::format("atlas of {} images in {} clusters; open {}", summary.images,
                            summary.clusters,
                            (std::filesystem::absolute(options.output) / "index.html").string()));
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
