// Lines over a common axis as SVG: curves of a training, of a test of learning rates.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace nanoatlas::atlas {

struct LineSeries {
    std::string name;  ///< stands in the key; "" : not there
    std::vector<std::pair<double, double>>
        points;                    ///< x, y; those that are not finite are left out
    bool is_faint = false;         ///< thin and without marks
    std::vector<double> spread{};  ///< [points] how far bars reach to either side; empty: no bars
};

struct LineChart {
    std::string title;
    std::string x_name, y_name{};  ///< y_name: "" where the key says it
    bool is_log_x = false, is_log_y = false;
    /// The first solid with dots, the second dashed with squares, others dotted with triangles.
    std::vector<LineSeries> series;
    std::optional<double> marked_x{};  ///< a line across the chart
    std::string mark{};                ///< and what it says
    const char* unit = "";             ///< behind the values of y
};

/// Axes reach from the least to the largest value, a logarithmic one takes positive values only.
/// Three lines differ in colour, dashes and marks, so they are told apart in print and by any eye.
std::string line_chart(const LineChart& chart);

}  // namespace nanoatlas::atlas
