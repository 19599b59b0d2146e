#include "kernels/kokkos/attraction.hpp"

#include <Kokkos_Core.hpp>

#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

// As many sums side by side, added up at the end: the lanes of a register.
constexpr std::size_t lanes = 8;
// Edges at a time: first their points are fetched one by one, then all are worked on side by side.
constexpr std::size_t at_once = 128;

/// Adds the force of `count` edges, at most at_once.
template <std::size_t D>
KOKKOS_FORCEINLINE_FUNCTION void add_edges(const float* map, const float (&own)[D],
                                           const std::int32_t* to, const float* p,
                                           std::size_t count, float (&sums)[D][lanes]) {
    float pull[at_once], difference[D][at_once];
    for (std::size_t e = 0; e < count; ++e) {
        const float* other = map + static_cast<std::size_t>(to[e]) * D;
        for (std::size_t c = 0; c < D; ++c) difference[c][e] = own[c] - other[c];
        pull[e] = p[e];
    }
    const std::size_t filled = (count + lanes - 1) / lanes * lanes;
    for (std::size_t e = count; e < filled; ++e) {
        pull[e] = 0;
        for (std::size_t c = 0; c < D; ++c) difference[c][e] = 0;
    }
    for (std::size_t first = 0; first < filled; first += lanes)
        for (std::size_t w = 0; w < lanes; ++w) {
            const std::size_t e = first + w;
            float squared = 1;
            for (std::size_t c = 0; c < D; ++c) squared += difference[c][e] * difference[c][e];
            const float force = pull[e] / squared;
            for (std::size_t c = 0; c < D; ++c) sums[c][w] += force * difference[c][e];
        }
}

template <std::size_t D>
void attract(std::span<const float> y, const MapEdges& edges, std::span<float> out) {
    const auto map = on_device(y);
    const auto begin = on_device(edges.begin);
    const auto to = on_device(edges.to);
    const auto p = on_device(edges.p);
    const auto force = room_on_device(out);
    const auto first = edges.first;
    for_each_row(
        "reduce/tsne/attraction", edges.begin.size() - 1, KOKKOS_LAMBDA(const std::size_t i) {
            float own[D], sums[D][lanes];
            for (std::size_t c = 0; c < D; ++c) {
                own[c] = map((first + i) * D + c);
                for (float& sum : sums[c]) sum = 0;
            }
            for (std::size_t e = begin(i); e < begin(i + 1); e += at_once) {
                const auto left = begin(i + 1) - e, count = left < at_once ? left : at_once;
                add_edges<D>(map.data(), own, to.data() + e, p.data() + e, count, sums);
            }
            for (std::size_t c = 0; c < D; ++c) {
                float all = 0;
                for (const float sum : sums[c]) all += sum;
                force(i * D + c) = all;
            }
        });
    copy_back(force, out);
}

}  // namespace

std::vector<float> attraction(std::span<const float> y, std::size_t dimensions,
                              const MapEdges& edges) {
    std::vector<float> force((edges.begin.size() - 1) * dimensions);
    if (force.empty()) return force;
    if (dimensions == 2)
        attract<2>(y, edges, force);
    else
        attract<3>(y, edges, force);
    return force;
}

std::vector<double> divergence(std::span<const float> y, std::size_t dimensions,
                               const MapEdges& edges) {
    std::vector<double> result(edges.begin.size() - 1);
    if (result.empty()) return result;
    const auto map = on_device(y);
    const auto begin = on_device(edges.begin);
    const auto to = on_device(edges.to);
    const auto p = on_device(edges.p);
    const auto sums = room_on_device(std::span<double>(result));
    const auto first = edges.first;
    for_each_row(
        "reduce/tsne/divergence", result.size(), KOKKOS_LAMBDA(const std::size_t i) {
            double sum = 0;
            for (std::size_t e = begin(i); e < begin(i + 1); ++e) {
                if (!(p(e) > 0)) continue;
                double squared = 0;
                for (std::size_t c = 0; c < dimensions; ++c) {
                    const double difference =
                        static_cast<double>(map((first + i) * dimensions + c)) -
                        map(static_cast<std::size_t>(to(e)) * dimensions + c);
                    squared += difference * difference;
                }
                sum += p(e) * Kokkos::log(p(e) * (1 + squared));
            }
            sums(i) = sum;
        });
    copy_back(sums, std::span<double>(result));
    return result;
}

}  // namespace nanoatlas::kernels::kokkos
