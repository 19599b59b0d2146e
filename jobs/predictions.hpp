// What classify found, and the files it writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "nn/taxonomy.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {

/// The same on every rank, in the order of the sources.
struct Predictions {
    std::vector<std::string> paths;
    std::vector<float> probabilities;  ///< [n, classes]
    std::vector<std::string> classes;
    double threshold = 0;  ///< what is less probable is no answer
    std::vector<std::string> reject_paths, reject_causes;

    std::span<const float> probabilities_of(std::size_t row) const {
        return std::span(probabilities).subspan(row * classes.size(), classes.size());
    }
    float probability(std::size_t row, std::size_t which) const {
        return probabilities[row * classes.size() + which];
    }
    /// nn::answer_of each row.
    std::vector<std::int32_t> answers() const;
    /// Classes of a row by falling probability, the best `count`.
    std::vector<std::size_t> best(std::size_t row, std::int64_t count) const;
};

/// An answer in words: a class, "Nanowires/?" for an inner node, "none of these".
std::string answer_text(const nn::Taxonomy& taxonomy, std::int32_t answer);

/// By the name's ending: .csv and .json list the best `top` classes of each image and the answer,
/// anything else is an artefact "predictions" with all probabilities. There whole or not at all.
/// Collective.
void write_predictions(const std::string& path, const Predictions& predictions, std::int64_t top,
                       const store::Provenance& provenance, const comm::Communicator& world);

}  // namespace nanoatlas::jobs
