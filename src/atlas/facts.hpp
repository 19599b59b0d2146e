// What the corpus knows of how each image was taken, as columns.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/corpus.hpp"

namespace nanoatlas::atlas {

/// A property that has one of a few values, N rows.
struct Category {
    std::string name;                 ///< "detector"
    std::vector<std::string> values;  ///< in the order of their first rows
    std::vector<std::int32_t> code;   ///< [N], into values; -1 unknown
};

/// A property that is a number, N rows.
struct Quantity {
    std::string name, unit;     ///< "pixel size", "m"
    std::vector<double> value;  ///< [N], NaN unknown
};

/// Name of the category of days.
inline constexpr const char* date_name = "date";

struct Facts {
    std::vector<Category> categories;
    std::vector<Quantity> quantities;
    Category session;   ///< the corpus' groups of two images or more, named by their first image
    Category info_bar;  ///< its height in rows of the original, "none" for 0

    const Quantity& magnification() const { return quantities[1]; }
};

/// Detector, instrument, user, sample and date; pixel size, magnification, voltage and working
/// distance. Records are read in pieces: they take kilobytes a row.
Facts read_facts(const store::CorpusReader& corpus);

}  // namespace nanoatlas::atlas
