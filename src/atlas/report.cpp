#include "atlas/report.hpp"

#include <nlohmann/json.hpp>

#include "atlas/decision_graph.hpp"
#include "atlas/folder.hpp"
#include "atlas/model.hpp"
#include "atlas/pages.hpp"
#include "atlas/pictures.hpp"
#include "atlas/tiles.hpp"
#include "base/progress.hpp"
#include "store/agree.hpp"
#include "store/corpus.hpp"

namespace nanoatlas::atlas {
namespace {

constexpr int jpeg_quality = 78;

template <class T>
std::vector<T> broadcast_vector(std::vector<T> values, const comm::Communicator& comm) {
    values.resize(static_cast<std::size_t>(comm.broadcast(std::ssize(values))));
    comm.broadcast(std::span<T>(values));
    return values;
}

/// Collective; atlas on rank 0.
void add_separations(Atlas& atlas, const comm::Communicator& comm) {
    const auto height = broadcast_vector(atlas.height, comm);
    if (height.empty()) return;
    const auto points = broadcast_vector(atlas.inputs.embedding.values, comm);
    const auto columns = comm.broadcast(atlas.inputs.embedding.columns);
    atlas.separation = separations(points, columns, height, comm);
}

/// Collective; atlas on rank 0.
void add_silhouettes(Atlas& atlas, const comm::Communicator& comm) {
    constexpr std::int64_t most = 4000;
    const auto points = broadcast_vector(atlas.inputs.embedding.values, comm);
    const auto label = broadcast_vector(atlas.inputs.clusters.label, comm);
    const auto columns = comm.broadcast(atlas.inputs.embedding.columns);
    const auto clusters = comm.broadcast(atlas.clusters());
    atlas.silhouettes = silhouettes(points, columns, label, clusters, most, comm);
}

/// Collective; what rank 0 gives comes back on every rank.
std::vector<SheetSet> broadcast_sheets(std::vector<SheetSet> sets, const comm::Communicator& comm) {
    sets.resize(static_cast<std::size_t>(comm.broadcast(std::ssize(sets))));
    for (auto& set : sets) {
        set.stem = comm.broadcast(set.stem);
        set.layout = comm.broadcast(set.layout);
        set.rows = broadcast_vector(std::move(set.rows), comm);
    }
    return sets;
}

void write_sheet(const SheetSet& set, std::int64_t sheet, const store::CorpusReader& corpus,
                 const AtlasFolder& folder) {
    const auto& layout = set.layout;
    const auto count = layout.tiles_in(sheet);
    std::vector<std::vector<std::uint8_t>> images, tiles(static_cast<std::size_t>(count));
    for (std::int64_t t = 0; t < count; ++t)
        images.push_back(corpus.read_images(
            set.rows[static_cast<std::size_t>(sheet * layout.per_sheet() + t)], 1));
#pragma omp parallel for
    for (std::int64_t t = 0; t < count; ++t)
        tiles[static_cast<std::size_t>(t)] = shrink(images[static_cast<std::size_t>(t)],
                                                    corpus.height(), corpus.width(), layout.tile);
    folder.write(set.file(sheet),
                 encode_jpeg(draw_sheet(layout, sheet, tiles), layout.rows_in(sheet) * layout.tile,
                             layout.columns * layout.tile, jpeg_quality));
}

/// Sheets are dealt out to the ranks in turn. Collective. Returns their number.
std::int64_t write_sheets(const std::vector<SheetSet>& sets, const std::string& corpus_path,
                          const AtlasFolder& folder, const comm::Communicator& comm) {
    std::int64_t total = 0;
    for (const auto& set : sets) total += set.layout.sheets();
    base::Progress progress("report/sheets", (total + comm.size() - 1) / comm.size(), "sheets");
    store::agree_on_environment(comm, [&] {
        const store::CorpusReader corpus(corpus_path);
        std::int64_t number = 0;
        for (const auto& set : sets)
            for (std::int64_t sheet = 0; sheet < set.layout.sheets(); ++sheet) {
                if (number++ % comm.size() != comm.rank()) continue;
                write_sheet(set, sheet, corpus, folder);
                progress.advance();
            }
    });
    return total;
}

std::string marker(const store::Provenance& provenance) {
    const nlohmann::ordered_json json = {{"format", "atlas"},
                                         {"format_version", 1},
                                         {"complete", 1},
                                         {"provenance", nlohmann::json::parse(provenance.json())}};
    return json.dump(2) + "\n";
}

}  // namespace

ReportSummary write_atlas(const ReportOptions& options, store::Provenance& provenance,
                          const comm::Communicator& comm) {
    AtlasFolder folder(options.output, comm);
    Atlas atlas;
    {
        const auto scope = provenance.phases().measure("report/read");
        comm.on_root([&] { atlas = make_atlas(read_inputs(options.files)); });
    }
    {
        const auto scope = provenance.phases().measure("report/decision-graph");
        add_separations(atlas, comm);
    }
    {
        const auto scope = provenance.phases().measure("report/silhouettes");
        add_silhouettes(atlas, comm);
    }
    ReportSummary summary;
    {
        const auto scope = provenance.phases().measure("report/sheets");
        const auto sets =
            broadcast_sheets(comm.is_root() ? atlas.all_sheets() : std::vector<SheetSet>(), comm);
        summary.sheets = write_sheets(sets, options.files.corpus, folder, comm);
    }
    {
        const auto scope = provenance.phases().measure("report/pages");
        comm.on_root([&] {
            for (const auto& page : all_pages(atlas)) folder.write(page.path, page.text);
            for (const auto& file : picture_files(atlas)) folder.write(file.path, file.text);
        });
    }
    folder.publish(marker(provenance));
    summary.images = comm.broadcast(atlas.inputs.rows);
    summary.clusters = comm.broadcast(atlas.clusters());
    return summary;
}

}  // namespace nanoatlas::atlas
