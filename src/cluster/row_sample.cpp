#include "cluster/row_sample.hpp"

#include <algorithm>

#include "base/random.hpp"
#include "comm/distribution.hpp"
#include "store/agree.hpp"

namespace nanoatlas::cluster {
namespace {

constexpr std::uint64_t seed = 1;

// Ascending.
std::vector<std::int64_t> drawn(std::int64_t rows, std::int64_t size) {
    std::vector<std::int64_t> numbers;
    for (std::int64_t i = 0; i < std::min(size, rows); ++i) {
        const auto first = i * rows / size, end = (i + 1) * rows / size;
        numbers.push_back(
            rows <= size
                ? i
                : first +
                      static_cast<std::int64_t>(
                          base::Random(seed, 1, i).below(static_cast<std::uint64_t>(end - first))));
    }
    return numbers;
}

}  // namespace

std::vector<float> sample_rows(const kernels::kokkos::Frame& frame, std::int64_t rows,
                               std::int64_t size, const ReadRow& read,
                               const comm::Communicator& comm) {
    const auto own = comm::row_block(rows, comm);
    std::vector<float> mine;
    store::agree_on_input(comm, [&] {
        for (const auto number : drawn(rows, size)) {
            if (number < own.first || number >= own.end()) continue;
            const auto row = read(number);
            for (std::size_t c = 0; c < frame.centre.size(); ++c)
                mine.push_back(static_cast<float>((row[c] - frame.centre[c]) / frame.largest));
        }
    });
    return comm.all_gather(mine);
}

}  // namespace nanoatlas::cluster
