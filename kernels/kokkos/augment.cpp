#include "kernels/kokkos/augment.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>

#include "kernels/augment_pixel.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

using HostPolicy = Kokkos::TeamPolicy<Kokkos::DefaultHostExecutionSpace>;
using HostTeam = HostPolicy::member_type;
using HostScratch = Kokkos::View<float**, Kokkos::LayoutRight,
                                 Kokkos::DefaultHostExecutionSpace::scratch_memory_space,
                                 Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
using Starts = Kokkos::View<int*, Kokkos::DefaultHostExecutionSpace::scratch_memory_space,
                            Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

/// The filter of one axis: output i is the sum over t of weights(i, t) * source(first(i) + t).
struct Taps {
    Starts first;
    HostScratch weights;  // [size, taps], zero behind the last
    int count;

    Taps(const HostTeam& team, int size, int taps)
        : first(team.team_scratch(1), static_cast<std::size_t>(size)),
          weights(team.team_scratch(1), static_cast<std::size_t>(size),
                  static_cast<std::size_t>(taps)),
          count(taps) {}
    static std::size_t bytes(int size, int taps) {
        return Starts::shmem_size(static_cast<std::size_t>(size)) +
               HostScratch::shmem_size(static_cast<std::size_t>(size),
                                       static_cast<std::size_t>(taps));
    }

    /// extent: pixels of the source along the axis
    void set(int i, double start, double scale, int extent) const {
        const AxisFilter filter(i, start, scale, extent);
        const int begin = filter.begin();
        double sum = 0;
        for (int t = 0; t < count; ++t) sum += filter.weight(begin + t);
        for (int t = 0; t < count; ++t)
            weights(i, t) = static_cast<float>(filter.weight(begin + t) / sum);
        first(i) = begin;
    }
};

/// Taps that any view of the batch needs along an axis.
int most_taps(std::span<const ImageView> views, float ImageView::*length, int size, int extent) {
    float longest = 0;
    for (const auto& view : views) longest = std::max(longest, view.*length);
    return kernels::most_taps(longest, size, extent);
}

struct Augment {
    const std::uint8_t* const* images;
    const ImageView* views;
    const InputFormat* format;
    float* output;
    int taps_y, taps_x;

    std::size_t scratch_bytes() const {
        return Taps::bytes(format->size, taps_y) + Taps::bytes(format->size, taps_x) +
               HostScratch::shmem_size(static_cast<std::size_t>(format->size),
                                       static_cast<std::size_t>(format->width)) +
               64;
    }

    void operator()(const HostTeam& team) const {
        const int n = team.league_rank(), size = format->size;
        const ImageView& view = views[n];
        const Taps rows(team, size, taps_y), columns(team, size, taps_x);
        const HostScratch squeezed(team.team_scratch(1), static_cast<std::size_t>(size),
                                   static_cast<std::size_t>(format->width));
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, size), [&](int i) {
            rows.set(i, view.top, static_cast<double>(view.height) / size, format->height);
            columns.set(i, view.left, static_cast<double>(view.width) / size, format->width);
        });
        team.team_barrier();
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, size),
                             [&](int y) { squeeze_row(images[n], rows, y, &squeezed(y, 0)); });
        team.team_barrier();
        const std::size_t plane = static_cast<std::size_t>(size) * static_cast<std::size_t>(size);
        float* const out = output + static_cast<std::size_t>(n) * format->mean.size() * plane;
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, size), [&](int y) {
            for (int x = 0; x < size; ++x) write_pixel(view, columns, squeezed, y, x, plane, out);
        });
    }

    /// Row y of the crop scaled along its height: [width] values of 0 .. 255.
    void squeeze_row(const std::uint8_t* image, const Taps& rows, int y, float* row) const {
        const int width = format->width;
        std::fill_n(row, width, 0.0F);
        for (int t = 0; t < rows.count; ++t) {
            const float weight = rows.weights(y, t);
            if (weight == 0) continue;
            const std::uint8_t* source =
                image + static_cast<std::ptrdiff_t>(rows.first(y) + t) * width;
#pragma omp simd
            for (int x = 0; x < width; ++x) row[x] += weight * static_cast<float>(source[x]);
        }
    }

    /// Pixel (y, x) of the scaled crop to where the orientation puts it.
    void write_pixel(const ImageView& view, const Taps& columns, const HostScratch& squeezed, int y,
                     int x, std::size_t plane, float* out) const {
        const int size = format->size;
        float value = 0;
        for (int t = 0; t < columns.count; ++t) {
            const float weight = columns.weights(x, t);
            if (weight != 0) value += weight * squeezed(y, columns.first(x) + t);
        }
        const int pixel = oriented(view, y, x, size);
        value = toned(view, value, pixel);
        const auto place = static_cast<std::size_t>(pixel);
        for (std::size_t channel = 0; channel < format->mean.size(); ++channel)
            out[channel * plane + place] =
                normalised(value, format->mean[channel], format->std[channel]);
    }
};

}  // namespace

void augment(std::span<const std::uint8_t* const> images, std::span<const ImageView> views,
             const InputFormat& format, std::span<float> output) {
    if (images.empty()) return;
    const Augment kernel{.images = images.data(),
                         .views = views.data(),
                         .format = &format,
                         .output = output.data(),
                         .taps_y = most_taps(views, &ImageView::height, format.size, format.height),
                         .taps_x = most_taps(views, &ImageView::width, format.size, format.width)};
    HostPolicy policy(static_cast<int>(images.size()), 1);
    policy.set_scratch_size(1, Kokkos::PerTeam(static_cast<int>(kernel.scratch_bytes())));
    Kokkos::parallel_for("train/augment", policy, kernel);
    Kokkos::DefaultHostExecutionSpace().fence("train/augment");
}

}  // namespace nanoatlas::kernels::kokkos
