// Small corpora for tests, made up row by row.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "store/corpus.hpp"
#include "store/provenance.hpp"
#include "tests/mpi_test.hpp"

namespace nanoatlas::testing {

/// One image of a corpus and what is known of it.
struct SmallCorpusRow {
    std::vector<std::uint8_t> pixels = {};  ///< [height, width]
    std::int32_t label = -1;
    store::Part part = store::Part::train;
    double pixel_size = 1e-9;  ///< [m]
};

struct SmallCorpus {
    int height = 1, width = 1;
    std::vector<std::string> classes = {};
    std::int64_t rows = 0;
    std::function<SmallCorpusRow(std::int64_t)> row = {};  ///< what row i is, the same on all ranks
};

/// Writes it from all ranks of world(), rows dealt out in turn; returns the path. Collective.
inline std::string write_small_corpus(const std::string& path, const SmallCorpus& corpus) {
    store::CorpusRows own;
    own.height = corpus.height;
    own.width = corpus.width;
    store::CorpusTable all;
    all.classes = corpus.classes;
    for (std::int64_t i = 0; i < corpus.rows; ++i) {
        const auto row = corpus.row(i);
        all.label.push_back(row.label);
        all.group.push_back(i);
        all.duplicate_of.push_back(-1);
        all.part.push_back(row.part);
        if (i % world().size() != world().rank()) continue;
        own.row.push_back(i);
        own.images.insert(own.images.end(), row.pixels.begin(), row.pixels.end());
        own.path.push_back("image" + std::to_string(i));
        own.checksum.push_back(0);
        own.pixel_size.push_back(row.pixel_size);
        own.scale.push_back({1, 1});
        own.metadata.emplace_back("{}");
    }
    const base::OptionTable options("test", "a small corpus");
    store::write_corpus(path, own, all, store::Provenance(options, world()), world());
    return path;
}

}  // namespace nanoatlas::testing
