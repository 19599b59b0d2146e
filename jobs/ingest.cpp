// nanoatlas ingest: images of any kind become one corpus.
#include <fmt/core.h>

#include <algorithm>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/options.hpp"
#include "comm/session.hpp"
#include "image/prepare.hpp"
#include "ingest/decode.hpp"
#include "ingest/describe.hpp"
#include "ingest/sources.hpp"
#include "jobs/jobs.hpp"
#include "store/artefact.hpp"
#include "store/corpus.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {
namespace {

struct IngestOptions {
    std::vector<std::string> images;
    std::string output, fit = "crop", bar = "auto";
    image::PrepareOptions prepare;
    ingest::DescribeOptions describe;
    bool dedup = true;
};

base::OptionTable describe(IngestOptions& options) {
    base::OptionTable table("ingest", "images of any kind become one corpus");
    table
        .add("images", options.images,
             "folders, images, lists of paths (.txt) or IDX files to read")
        .required();
    table.add("output", options.output, "corpus.h5 to write").required();
    table.add("size", options.prepare.size, "side of the stored pictures [pixels]");
    table
        .add("fit", options.fit,
             "of an oblong image: its middle square, all of it squashed, or padded")
        .choices({"crop", "squash", "pad"});
    table.add("labels", options.describe.labels,
              "folders: their path below --images ('Nanowires/Forest'), of folders:N the first N; "
              "none; or csv:FILE with path,label lines");
    table.add("bar", options.bar,
              "info bar: auto (found and cut), keep, or rows=N (cut at the bottom)");
    table.add(
        "groups", options.describe.groups,
        "images never split between parts: auto (duplicates) or csv:FILE with path,group lines");
    table.add("parts", options.describe.parts,
              "auto (70/15/15 by class, groups whole) or csv:FILE with path,part lines");
    table.add("dedup", options.dedup, "find exact and near duplicates");
    return table;
}

void complete(IngestOptions& options) {
    constexpr int most = 4096;
    options.prepare.fit = image::parse_fit(options.fit);
    image::parse_bar(options.bar, options.prepare);
    VALIDATE(options.prepare.size >= 8 && options.prepare.size <= most,
             "--size {} is not in 8 .. {} (pixels of a picture's side)", options.prepare.size,
             most);
    ingest::check(options.describe);
}

void add_inputs(const IngestOptions& options, store::Provenance& provenance) {
    for (const auto& path : options.images) provenance.add_input(path);
    for (const auto* table :
         {&options.describe.labels, &options.describe.groups, &options.describe.parts})
        if (table->starts_with("csv:")) provenance.add_input(table->substr(4));
}

ingest::Decoded decode(const image::Listing& listing, const IngestOptions& options,
                       const comm::Communicator& world) {
    const ingest::Shares shares(listing.sources, world.size());
    auto decoded = ingest::decode(listing.sources, shares, options.prepare, world);
    decoded.rejected.insert(decoded.rejected.begin(), listing.rejected.begin(),
                            listing.rejected.end());
    if (decoded.source.empty()) {
        const auto& first = decoded.rejected.front();
        throw InputError(
            fmt::format("cannot ingest (none of {} images can be used; the first, '{}', {}); "
                        "give other --images",
                        listing.sources.size(), first.path, first.cause));
    }
    return decoded;
}

void print_summary(const IngestOptions& options, const store::CorpusTable& table,
                   const image::Listing& listing) {
    const auto count = [&](store::Part part) {
        return std::count(table.part.begin(), table.part.end(), part);
    };
    const auto duplicates = std::count_if(table.duplicate_of.begin(), table.duplicate_of.end(),
                                          [](auto row) { return row >= 0; });
    base::print(fmt::format("{}: {} images of {} classes, {} x {}", options.output,
                            table.label.size(), table.classes.size(), options.prepare.size,
                            options.prepare.size));
    base::print(fmt::format("  train {}, validation {}, test {}", count(store::Part::train),
                            count(store::Part::validation), count(store::Part::test)));
    base::print(fmt::format("  {} duplicates, {} rejected, {} other files passed over", duplicates,
                            table.reject_path.size(), listing.passed_over));
    constexpr std::size_t shown = 5;
    for (std::size_t i = 0; i < std::min(shown, table.reject_path.size()); ++i)
        base::print(fmt::format("  rejected: {} {}", table.reject_path[i], table.reject_cause[i]));
    if (table.reject_path.size() > shown)
        base::print(fmt::format("  ... all of them in /rejects of {}", options.output));
}

}  // namespace

int run_ingest(const Arguments& arguments, const comm::Communicator& world) {
    IngestOptions options;
    auto table = describe(options);
    if (table.parse(arguments) == base::Parsed::done) return comm::exit_status::done;
    complete(options);

    store::Provenance provenance(table, world);
    auto& phases = provenance.phases();
    const auto timed = [&](const char* phase, const auto& work) {
        const auto scope = phases.measure(phase);
        return work();
    };
    const auto listing =
        timed("ingest/list", [&] { return ingest::list_sources(options.images, world); });
    const auto given = ingest::read_given(listing.sources, options.describe, world);
    add_inputs(options, provenance);
    store::ArtefactWriter writer(options.output, "corpus", world);
    const auto decoded = timed("ingest/decode", [&] { return decode(listing, options, world); });
    const auto corpus = timed("ingest/describe", [&] {
        return ingest::describe(listing.sources, given, decoded,
                                options.dedup ? ingest::Dedup::on : ingest::Dedup::off);
    });
    provenance.add_result("images", static_cast<double>(corpus.label.size()));
    provenance.add_result("rejected", static_cast<double>(corpus.reject_path.size()));
    store::write_corpus(writer, decoded.rows, corpus, provenance, world);
    print_summary(options, corpus, listing);
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
