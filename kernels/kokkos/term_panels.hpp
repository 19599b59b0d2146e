// Vectors of many terms, laid out for products of each on one side with each on the other: parts of
// 256 terms, panels of a few vectors.
#pragma once

#include <Kokkos_Core.hpp>
#include <span>

#include "kernels/kokkos/dot_tile.hpp"
#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos::term_panels {

// Terms that a tile sums at a time: both its sides stay in the first cache, and rounding in f32
// stays small.
constexpr std::size_t part_terms = 256;
// Vectors on each side of a tile, and of a block of tiles, whose panels and sums stay in a core's
// second cache; a GPU's thread has little memory of its own.
#if defined(__CUDACC__)
constexpr std::size_t block = 16, left_width = 8;
template <class T>
constexpr std::size_t right_width = 8;
#else
constexpr std::size_t block = 96, left_width = register_rows;
template <class T>
constexpr std::size_t right_width = register_width<T>;
#endif
constexpr std::size_t left_panels = block / left_width;
static_assert(block % left_width == 0 && block % right_width<float> == 0 &&
              block % right_width<double> == 0);

KOKKOS_INLINE_FUNCTION std::size_t pieces(std::size_t count, std::size_t size) {
    return (count + size - 1) / size;
}

KOKKOS_INLINE_FUNCTION std::size_t less(std::size_t a, std::size_t b) {
    return a < b ? a : b;
}

/// Vectors cut into parts of 256 terms and interleaved by the width of a tile's side, so that what
/// a tile reads is adjacent: [parts, panels, 256, width].
template <class T>
class TermPanels {
  public:
    explicit TermPanels(std::size_t width) : width_(width) {}

    /// Room for so many vectors, in whole blocks, of so many terms.
    void make_room(std::size_t vectors, std::size_t terms) {
        panels_ = pieces(vectors, block) * block / width_;
        const auto size = pieces(terms, part_terms) * panels_ * part_terms * width_;
        if (values_.size() < size) values_ = DeviceView<T>("panels", size);
    }
    /// One term of the first vector of a panel, the others' beside it.
    KOKKOS_FUNCTION T* at(std::size_t panel, std::size_t part, std::size_t term = 0) const {
        return values_.data() + ((part * panels_ + panel) * part_terms + term) * width_;
    }

    KOKKOS_FUNCTION T& of(std::size_t vector, std::size_t term) const {
        return at(vector / width_, term / part_terms, term % part_terms)[vector % width_];
    }

  private:
    std::size_t width_, panels_ = 0;
    DeviceView<T> values_;
};

/// to[j] = from[j] - mean[j], rounded to P.
template <class T, class P>
KOKKOS_INLINE_FUNCTION void centre(const T* from, const double* mean, std::size_t count, P* to) {
    for (std::size_t j = 0; j < count; ++j) to[j] = static_cast<P>(from[j] - mean[j]);
}

template <std::size_t count, class P>
KOKKOS_INLINE_FUNCTION void copy(const P* from, P* to) {
    for (std::size_t j = 0; j < count; ++j) to[j] = from[j];
}

template <class T>
using Tile = T[left_width][right_width<T>];

inline DeviceView<double> copied(std::span<const double> values) {
    DeviceView<double> copy("mean", values.size());
    Kokkos::deep_copy(copy, HostView<const double>(values.data(), values.size()));
    return copy;
}

/// Units of unequal work, one at a time to whichever thread is free.
template <class Kernel>
void for_each_unit(const char* name, std::size_t count, const Kernel& kernel) {
    using Policy = Kokkos::RangePolicy<Execution, Kokkos::Schedule<Kokkos::Dynamic>>;
    Kokkos::parallel_for(name, Policy(0, count).set_chunk_size(1), kernel);
}

/// Vectors [n, terms], row-major, into panels that have room for them.
template <class T>
void interleave(const TermPanels<T>& panels, std::span<const double> vectors, std::size_t terms) {
    const auto from = on_device(vectors);
    for_each_row(
        "reduce/interleave", vectors.size() / terms, KOKKOS_LAMBDA(const std::size_t v) {
            for (std::size_t t = 0; t < terms; ++t)
                panels.of(v, t) = static_cast<T>(from(v * terms + t));
        });
}

}  // namespace nanoatlas::kernels::kokkos::term_panels
