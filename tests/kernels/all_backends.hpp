// Every back end that there is here, and f32 values in its memory.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/cudnn/cudnn.hpp"
#include "kernels/onednn/onednn.hpp"
#include "kernels/reference/cnn.hpp"

namespace nanoatlas::testing {

using Values = std::vector<float>;

/// In f32: oneDNN, and cuDNN where there is a GPU.
inline std::vector<std::unique_ptr<kernels::Backend>> fast_backends(
    kernels::Precision precision = kernels::Precision::f32) {
    std::vector<std::unique_ptr<kernels::Backend>> all;
    if (precision == kernels::Precision::f32 || kernels::onednn::has_bf16())
        all.push_back(kernels::onednn::make_backend(precision));
    if (kernels::cudnn::device_count() > 0) all.push_back(kernels::cudnn::make_backend(precision));
    return all;
}

class Tensor {
  public:
    Tensor(kernels::Backend& backend, const Values& values)
        : backend_(backend), count_(values.size()), memory_(backend.allocate(bytes())) {
        backend.upload(values.data(), bytes(), memory_.get());
    }
    float* get() const { return static_cast<float*>(memory_.get()); }
    std::span<float> span() const { return {get(), count_}; }
    Values values() const {
        Values read(count_);
        backend_.download(memory_.get(), bytes(), read.data());
        return read;
    }

  private:
    std::int64_t bytes() const { return static_cast<std::int64_t>(count_ * sizeof(float)); }

    kernels::Backend& backend_;
    std::size_t count_;
    kernels::Memory memory_;
};

inline void expect_near(const std::vector<Values>& expected, const std::vector<Values>& found,
                        double margin, const std::string& where) {
    ASSERT_EQ(expected.size(), found.size());
    for (std::size_t k = 0; k < expected.size(); ++k)
        for (std::size_t i = 0; i < expected[k].size(); ++i)
            ASSERT_NEAR(expected[k][i], found[k][i], margin * (1 + std::abs(expected[k][i])))
                << where << ", tensor " << k << ", value " << i;
}

}  // namespace nanoatlas::testing
