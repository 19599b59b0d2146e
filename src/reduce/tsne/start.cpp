#include "reduce/tsne/start.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/random.hpp"
#include "reduce/pca.hpp"

namespace nanoatlas::reduce {

template <class T>
MapPoints first_points(const store::Matrix<T>& matrix, int components, std::uint64_t seed,
                       const comm::Communicator& comm) {
    constexpr double deviation = 1e-4, jitter = deviation / 100;
    const auto most = std::min(matrix.columns, matrix.rows.total - 1);
    const auto count = std::min<std::int64_t>(components, most);
    const auto [pca, projected] =
        fit_and_project(matrix, {.components = std::to_string(count)}, Whiten::off, comm);
    const double scale = deviation / std::sqrt(pca.explained_variance[0]);
    const auto known = static_cast<std::size_t>(projected.columns),
               d = static_cast<std::size_t>(components);
    std::vector<float> own;
    for (std::int64_t i = 0; i < matrix.rows.count; ++i) {
        base::Random random(seed, base::fnv1a("tsne"), matrix.rows.first + i);
        for (std::size_t c = 0; c < d; ++c)
            own.push_back(static_cast<float>(c < known ? scale * projected.row(i)[c] +
                                                             jitter * random.normal()
                                                       : deviation * random.normal()));
    }
    return {.dimensions = d, .y = comm.all_gather(own)};
}

template MapPoints first_points(const store::Matrix<float>&, int, std::uint64_t,
                                const comm::Communicator&);
template MapPoints first_points(const store::Matrix<double>&, int, std::uint64_t,
                                const comm::Communicator&);

}  // namespace nanoatlas::reduce
