#include "nn/values.hpp"

#include <algorithm>

namespace nanoatlas::nn {

Values::Values(kernels::Backend& backend, std::int64_t count)
    : backend_(&backend), size_(count), memory_(backend.allocate(bytes())) {
    if (is_copied()) {
        copy_.assign(static_cast<std::size_t>(count), 0);
        newest_ = Newest::host;
    } else {
        std::fill_n(static_cast<float*>(memory_.get()), count, 0.0F);
    }
}

float* Values::in_backend() {
    if (newest_ == Newest::host) {
        backend_->upload(copy_.data(), bytes(), memory_.get());
        newest_ = Newest::both;
    }
    return static_cast<float*>(memory_.get());
}

float* Values::changed_by_backend() {
    float* const values = in_backend();
    if (is_copied()) newest_ = Newest::backend;
    return values;
}

std::span<float> Values::bring_home() const {
    const auto count = static_cast<std::size_t>(size_);
    if (!is_copied()) return {static_cast<float*>(memory_.get()), count};
    if (copy_.empty() || newest_ == Newest::backend) {
        copy_.resize(count);
        backend_->download(memory_.get(), bytes(), copy_.data());
        newest_ = Newest::both;
    }
    return copy_;
}

std::span<const float> Values::on_host() const {
    return bring_home();
}

std::span<float> Values::changed_by_host() {
    const auto values = bring_home();
    if (is_copied()) newest_ = Newest::host;
    return values;
}

}  // namespace nanoatlas::nn
