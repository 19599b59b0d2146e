#include "reduce/enhance/neighbour_graph.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace nanoatlas::reduce {
namespace {

struct Edge {
    std::int64_t from, to;
    double distance;
    auto order() const { return std::tie(from, to); }
};

/// The edges of this rank's rows in both directions, by row, each once.
std::vector<Edge> edges_both_ways(const NearestRows& nearest, const comm::RowBlock& rows,
                                  const comm::Communicator& comm) {
    const comm::BlockDistribution blocks(rows.total, comm.size());
    std::vector<std::vector<Edge>> back(static_cast<std::size_t>(comm.size()));
    std::vector<Edge> edges;
    for (std::size_t at = 0; at < nearest.index.size(); ++at) {
        const auto row = rows.first + static_cast<std::int64_t>(at) / nearest.k;
        const auto other = nearest.index[at];
        edges.push_back({row, other, nearest.distance[at]});
        back[static_cast<std::size_t>(blocks.owner(other))].push_back(
            {other, row, nearest.distance[at]});
    }
    for (const auto& part : comm.exchange(back))
        edges.insert(edges.end(), part.begin(), part.end());
    std::ranges::sort(edges, {}, &Edge::order);
    const auto repeated = std::ranges::unique(edges, {}, &Edge::order);
    edges.erase(repeated.begin(), repeated.end());
    return edges;
}

double weight_of(double distance, double scale, double other_scale) {
    if (distance == 0) return 1;
    const double product = scale * other_scale;
    return product > 0 ? std::exp(-distance * distance / product) : 0;
}

}  // namespace

NeighbourGraph neighbour_graph(const NearestRows& nearest, const comm::RowBlock& rows,
                               const comm::Communicator& comm) {
    constexpr std::int64_t seventh = 7;
    std::vector<double> own;
    for (std::int64_t i = 0; i < rows.count; ++i)
        own.push_back(nearest.distance[static_cast<std::size_t>(i * nearest.k +
                                                                std::min(nearest.k, seventh) - 1)]);
    const auto scales = comm.all_gather(own);

    NeighbourGraph graph{.begin = {0}, .to = {}, .weight = {}};
    const auto edges = edges_both_ways(nearest, rows, comm);
    auto edge = edges.begin();
    for (std::int64_t i = rows.first; i < rows.end(); ++i) {
        double sum = 0;
        for (; edge != edges.end() && edge->from == i; ++edge) {
            graph.to.push_back(edge->to);
            graph.weight.push_back(weight_of(edge->distance, scales[static_cast<std::size_t>(i)],
                                             scales[static_cast<std::size_t>(edge->to)]));
            sum += graph.weight.back();
        }
        for (auto at = graph.begin.back(); at < graph.to.size() && sum > 0; ++at)
            graph.weight[at] /= sum;
        graph.begin.push_back(graph.to.size());
    }
    return graph;
}

}  // namespace nanoatlas::reduce
