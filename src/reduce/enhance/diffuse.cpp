#include <algorithm>
#include <span>

#include "reduce/enhance/neighbour_graph.hpp"
#include "reduce/enhance/step.hpp"

namespace nanoatlas::reduce {
namespace {

/// Weighted means of the rows that each row is joined with, [n, D]; rows whose weights are all 0
/// are their own. The ranks' blocks come by in order, so that each sum runs over ascending rows.
std::vector<double> neighbour_means(const FeatureMatrix& matrix, const NeighbourGraph& graph,
                                    const comm::Communicator& comm) {
    const auto columns = static_cast<std::size_t>(matrix.columns);
    const comm::BlockDistribution blocks(matrix.rows.total, comm.size());
    std::vector<double> means(matrix.values.size());
    std::vector<float> block;
    for (int rank = 0; rank < comm.size(); ++rank) {
        const auto rows = blocks.block(rank);
        block = rank == comm.rank() ? matrix.values : std::vector<float>{};
        block.resize(static_cast<std::size_t>(rows.count) * columns);
        comm.broadcast(std::span<float>(block), rank);
#pragma omp parallel for schedule(dynamic, 16)
        for (std::int64_t i = 0; i < matrix.rows.count; ++i) {
            const auto edges = static_cast<std::size_t>(i);
            double* mean = means.data() + edges * columns;
            for (auto at = graph.begin[edges]; at < graph.begin[edges + 1]; ++at) {
                const auto other = graph.to[at] - rows.first;
                if (other < 0 || other >= rows.count) continue;
                const float* x = block.data() + static_cast<std::size_t>(other) * columns;
                for (std::size_t j = 0; j < columns; ++j) mean[j] += graph.weight[at] * x[j];
            }
        }
    }
    return means;
}

bool is_alone(const NeighbourGraph& graph, std::size_t row) {
    return std::all_of(graph.weight.begin() + static_cast<std::ptrdiff_t>(graph.begin[row]),
                       graph.weight.begin() + static_cast<std::ptrdiff_t>(graph.begin[row + 1]),
                       [](double weight) { return weight == 0; });
}

class Diffusion : public EnhancementStep {
  public:
    Diffusion(std::int64_t k, double alpha, std::int64_t rounds)
        : k_(k), alpha_(alpha), rounds_(rounds) {}

    void apply(FeatureMatrix& matrix, const Surroundings& surroundings) const override {
        const auto& comm = surroundings.comm;
        const auto graph =
            neighbour_graph(surroundings.find_nearest(matrix, k_), matrix.rows, comm);
        for (std::int64_t round = 0; round < rounds_; ++round) {
            const auto means = neighbour_means(matrix, graph, comm);
            for (std::int64_t i = 0; i < matrix.rows.count; ++i) {
                if (is_alone(graph, static_cast<std::size_t>(i))) continue;
                const auto row = matrix.row(i);
                const double* mean = means.data() + i * matrix.columns;
                for (std::size_t j = 0; j < row.size(); ++j)
                    row[j] = static_cast<float>((1 - alpha_) * row[j] + alpha_ * mean[j]);
            }
        }
    }

  private:
    std::int64_t k_;
    double alpha_;
    std::int64_t rounds_;
};

}  // namespace

std::unique_ptr<EnhancementStep> make_diffuse(Parameters& parameters) {
    const auto k = parameters.whole("number of neighbours", 10, 1, 1000);
    const double alpha = parameters.number("share of the neighbours", 0.5, 0, 1);
    return std::make_unique<Diffusion>(k, alpha, parameters.whole("number of rounds", 1, 1, 100));
}

}  // namespace nanoatlas::reduce
