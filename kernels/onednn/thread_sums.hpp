// Sums over the rows of an image, each thread's apart until the end.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace nanoatlas::kernels::onednn {

/// First and last + 1 of the rows of one thread.
struct Range {
    std::int64_t first, last;
    Range(std::int64_t rows, int thread, int threads)
        : first(rows * thread / threads), last(rows * (thread + 1) / threads) {}
};

/// Runs work(range, sums) on each thread with sums of its own, [width] from 0, and adds them up in
/// the order of the threads.
template <class Work>
void sum_over_threads(std::int64_t rows, std::int64_t width, double* sums, const Work& work) {
    std::vector<std::vector<double>> partial(static_cast<std::size_t>(omp_get_max_threads()));
#pragma omp parallel
    {
        auto& own = partial[static_cast<std::size_t>(omp_get_thread_num())];
        own.assign(static_cast<std::size_t>(width), 0.0);
        work(Range(rows, omp_get_thread_num(), omp_get_num_threads()), own.data());
    }
    std::fill_n(sums, width, 0.0);
    for (const auto& own : partial)
        for (std::size_t i = 0; i < own.size(); ++i) sums[i] += own[i];
}

}  // namespace nanoatlas::kernels::onednn
