#include "nn/gradient_sum.hpp"

#include <algorithm>

namespace nanoatlas::nn {

GradientSum::GradientSum(std::span<float> gradients, std::int64_t bucket_bytes,
                         const comm::Communicator& comm, kernels::Backend& backend)
    : gradients_(gradients),
      bucket_(std::max<std::int64_t>(bucket_bytes / static_cast<std::int64_t>(sizeof(float)), 1)),
      comm_(comm),
      backend_(backend) {}

void GradientSum::finished(std::int64_t n) {
    if (comm_.size() == 1) return;
    if (n - started_ >= bucket_) start(n);
    for (auto& request : requests_) request.test();  // lets messages move on
}

void GradientSum::wait() {
    if (comm_.size() == 1) return;
    start(static_cast<std::int64_t>(gradients_.size()));
    for (auto& request : requests_) request.wait();
    requests_.clear();
    backend_.finish_sums();
}

void GradientSum::start(std::int64_t end) {
    constexpr std::int64_t largest = 1 << 30;  // values in one message
    while (started_ < end) {
        const auto count = std::min(end - started_, largest);
        const auto slice =
            gradients_.subspan(static_cast<std::size_t>(started_), static_cast<std::size_t>(count));
        if (backend_.sums_over_ranks())
            backend_.start_sum(slice);
        else
            requests_.push_back(comm_.start_sum(slice));
        started_ += count;
    }
}

}  // namespace nanoatlas::nn
