// One test body run on every back end there is, and compared with the reference.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "kernels/reference/cnn.hpp"
#include "tests/kernels/all_backends.hpp"
#include "tests/kernels/cnn_shapes.hpp"

namespace nanoatlas::testing {

using namespace kernels;

/// An image in a back end's memory.
class Image {
  public:
    Image(Backend& backend, const ImageShape& shape)
        : backend_(backend), shape_(shape), memory_(backend.allocate(shape.elements() * 4)) {}
    Image(Backend& backend, const ImageShape& shape, const Values& values) : Image(backend, shape) {
        backend.import_images(values.data(), shape, get());
    }
    void* get() const { return memory_.get(); }
    Values values() const {
        Values read(static_cast<std::size_t>(shape_.elements()));
        backend_.export_images(get(), shape_, read.data());
        return read;
    }

  private:
    Backend& backend_;
    ImageShape shape_;
    Memory memory_;
};

/// Runs a test's body on the reference, on oneDNN and, where there is a GPU, on cuDNN, both in both
/// precisions; each returns tensors that must agree. Inputs are exact in bf16, so results differ by
/// the order of f32 sums, and where they are stored as bf16 by its rounding: 2^-8 of the value, or
/// of the largest that went into it.
class BackendsAgree : public ::testing::Test {
  protected:
    template <class Body>
    void expect_equal(std::uint64_t seed, const Body& body, double largest = 0) {
        const auto reference = reference::make_backend();
        const std::vector<Values> expected = body(*reference, base::Random(seed));
        compare(expected, body(*onednn::make_backend(Precision::f32), base::Random(seed)), 0, 0,
                seed);
        if (onednn::has_bf16())
            compare(expected, body(*onednn::make_backend(Precision::bf16), base::Random(seed)),
                    1.0 / 256, largest / 256, seed);
        if (cudnn::device_count() == 0) return;
        compare(expected, body(on_gpu(Precision::f32), base::Random(seed)), 0, 0, seed);
        compare(expected, body(on_gpu(Precision::bf16), base::Random(seed)), 1.0 / 256,
                largest / 256, seed);
    }

  private:
    /// Made once: starting cuDNN takes a second.
    static Backend& on_gpu(Precision precision) {
        static const auto exact = cudnn::make_backend(Precision::f32);
        static const auto rounded = cudnn::make_backend(Precision::bf16);
        return precision == Precision::f32 ? *exact : *rounded;
    }
    static void compare(const std::vector<Values>& expected, const std::vector<Values>& found,
                        double relative, double absolute, std::uint64_t seed) {
        ASSERT_EQ(expected.size(), found.size());
        for (std::size_t k = 0; k < expected.size(); ++k)
            for (std::size_t i = 0; i < expected[k].size(); ++i)
                ASSERT_NEAR(expected[k][i], found[k][i],
                            2e-5 + absolute + (relative + 2e-5) * std::abs(expected[k][i]))
                    << "seed " << seed << ", tensor " << k << ", element " << i;
    }
};

}  // namespace nanoatlas::testing
