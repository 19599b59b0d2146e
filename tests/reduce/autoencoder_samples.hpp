// Rows and small autoencoders for their tests.
#pragma once

#include <vector>

#include "base/random.hpp"
#include "comm/distribution.hpp"
#include "reduce/autoencoder/autoencoder.hpp"
#include "store/matrix.hpp"

namespace nanoatlas::testing {

inline store::Matrix<float> block_of(const std::vector<float>& values, std::int64_t columns,
                                     const comm::Communicator& comm) {
    const auto rows = comm::row_block(std::ssize(values) / columns, comm);
    return {
        .rows = rows,
        .columns = columns,
        .values = {values.begin() + rows.first * columns, values.begin() + rows.end() * columns}};
}

inline std::vector<float> random_values(std::int64_t count, std::uint64_t seed) {
    base::Random random(seed);
    std::vector<float> values(static_cast<std::size_t>(count));
    for (auto& value : values) value = static_cast<float>(random.normal());
    return values;
}

inline std::vector<reduce::Autoencoder> small_ones() {
    return {{.input = {9, 1, 1}, .hidden = {7, 5}, .code = 3},
            {.input = {9, 1, 1}, .hidden = {}, .code = 2},
            {.input = {1, 8, 8}, .hidden = {4, 6}, .code = 3}};
}

}  // namespace nanoatlas::testing
