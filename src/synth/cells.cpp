#include "synth/cells.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace nanoatlas::synth {
namespace {

struct Point {
    float x, y, number;
};

// Points of a lattice with a margin of one square around the picture.
class Lattice {
  public:
    Lattice(base::Random& random, int size, float step_x, float step_y, float disorder)
        : columns_(static_cast<int>(static_cast<float>(size) / step_x) + 3) {
        const int rows = static_cast<int>(static_cast<float>(size) / step_y) + 3;
        for (int j = 0; j < rows; ++j)
            for (int i = 0; i < columns_; ++i) {
                const auto off = [&] {
                    return static_cast<float>(0.5 + disorder * random.uniform(-0.5, 0.5));
                };
                const float x = (static_cast<float>(i - 1) + off()) * step_x;
                const float y = (static_cast<float>(j - 1) + off()) * step_y;
                points_.push_back({x, y, static_cast<float>(random.uniform())});
            }
    }

    // The points of square (i, j) and its eight neighbours.
    std::array<Point, 9> around(int i, int j) const {
        std::array<Point, 9> found;
        for (int k = 0; k < 9; ++k)
            found[static_cast<std::size_t>(k)] =
                points_[static_cast<std::size_t>((j + k / 3) * columns_ + i + k % 3)];
        return found;
    }

  private:
    int columns_;
    std::vector<Point> points_;
};

}  // namespace

Cells scatter_cells(base::Random& random, int size, float spacing, float disorder, float stretch) {
    const float root = std::sqrt(stretch);
    const float step_x = std::max(2.0F, spacing * root), step_y = std::max(2.0F, spacing / root);
    const Lattice lattice(random, size, step_x, step_y, disorder);
    Cells cells{Grid(size, size), Grid(size, size), Grid(size, size)};
    for (int y = 0; y < size; ++y) {
        const int j = static_cast<int>(static_cast<float>(y) / step_y);
        float *centre = cells.centre.row(y), *wall = cells.wall.row(y);
        float* number = cells.number.row(y);
        for (int i = 0, begin = 0; begin < size; ++i) {
            const auto points = lattice.around(i, j);
            const int end =
                std::min(size, static_cast<int>(std::ceil(static_cast<float>(i + 1) * step_x)));
            for (int x = begin; x < end; ++x) {
                float first = 1e9F, second = 1e9F, of_first = 0;
                for (const auto& point : points) {
                    const float dx = (static_cast<float>(x) - point.x) / step_x;
                    const float dy = (static_cast<float>(y) - point.y) / step_y;
                    const float square = dx * dx + dy * dy;
                    second = std::min(second, std::max(first, square));
                    of_first = square < first ? point.number : of_first;
                    first = std::min(first, square);
                }
                centre[x] = std::sqrt(first);
                wall[x] = std::sqrt(second) - centre[x];
                number[x] = of_first;
            }
            begin = end;
        }
    }
    return cells;
}

}  // namespace nanoatlas::synth
