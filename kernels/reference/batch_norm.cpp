#include "kernels/reference/batch_norm.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace nanoatlas::kernels::reference {
namespace {

class HostBatchNorm final : public BatchNorm {
  public:
    HostBatchNorm(const BatchNormShape& shape, NormPasses& passes)
        : shape_(shape), passes_(passes) {
        for (auto* each : {&mean_, &inverse_deviation_, &scale_, &shift_, &by_input_, &constant_})
            each->resize(channels());
        sums_.resize(2 * channels() + 1);
    }

    void set_running(const NormTensors& norm) override {
        for (std::size_t c = 0; c < channels(); ++c) {
            mean_[c] = norm.mean[c];
            inverse_deviation_[c] = static_cast<float>(1 / std::sqrt(norm.variance[c] + norm.eps));
        }
        set_coefficients(norm.gamma, norm.beta);
    }

    void evaluate(const void* x, const void* addend, void* y) override {
        if (shape_.image.samples == 0) return;
        passes_.norm_forward(x, addend, rows(), shape_.image.channels, coefficients(),
                             shape_.activation, y);
    }

    void train(const void* x, const void* addend, const float* gamma, const float* beta,
               float* running_mean, float* running_variance, void* y) override {
        take_statistics(x, running_mean, running_variance);
        set_coefficients(gamma, beta);
        evaluate(x, addend, y);
    }

    void backward(Addends gradients, const void* y, const void* x, void* g, void* dx, float* dgamma,
                  float* dbeta) override {
        const auto n = rows(), channels = shape_.image.channels;
        const bool kept = g != nullptr || shape_.activation == Activation::none;
        std::ranges::fill(sums_, 0.0);
        if (n > 0 && kept)
            passes_.norm_backward_sums(gradients, y, x, n, channels, mean_.data(),
                                       shape_.activation, g, sums_.data());
        else if (n > 0)
            passes_.norm_backward_sums(gradients[0], x, n, channels, coefficients(),
                                       shape_.activation, sums_.data());
        finish_gradients(dgamma, dbeta);
        if (dx == nullptr || n == 0) return;
        const NormGradientCoefficients by_sums{mean_.data(), scale_.data(), by_input_.data(),
                                               constant_.data()};
        if (kept)
            passes_.norm_backward_data(g != nullptr ? g : gradients[0], x, n, channels, by_sums,
                                       dx);
        else
            passes_.norm_backward_data(gradients[0], x, n, channels, coefficients(),
                                       shape_.activation, by_sums, dx);
    }

  private:
    std::size_t channels() const { return static_cast<std::size_t>(shape_.image.channels); }
    std::int64_t rows() const { return shape_.image.rows(); }
    NormCoefficients coefficients() const { return {mean_.data(), scale_.data(), shift_.data()}; }

    /// The rows' number is summed along with them.
    double share_sums() {
        sums_.back() = static_cast<double>(rows());
        if (shape_.ranks != nullptr) shape_.ranks->sum(sums_);
        return std::max(sums_.back(), 1.0);
    }

    void take_statistics(const void* x, float* running_mean, float* running_variance) {
        std::ranges::fill(sums_, 0.0);
        if (shape_.image.samples > 0)
            passes_.norm_sums(x, rows(), shape_.image.channels, sums_.data());
        const double all_rows = share_sums();
        if (sums_.back() == 0) return;  // no rank has samples
        for (std::size_t c = 0; c < channels(); ++c) {
            const double mean = sums_[c] / all_rows;
            const double variance = std::max(sums_[channels() + c] / all_rows - mean * mean, 0.0);
            mean_[c] = static_cast<float>(mean);
            inverse_deviation_[c] = static_cast<float>(1 / std::sqrt(variance + shape_.eps));
            const double unbiased = variance * all_rows / std::max(all_rows - 1, 1.0);
            move(running_mean[c], mean);
            move(running_variance[c], unbiased);
        }
    }

    void move(float& running, double value) const {
        running = static_cast<float>((1 - shape_.momentum) * running + shape_.momentum * value);
    }

    void set_coefficients(const float* gamma, const float* beta) {
        for (std::size_t c = 0; c < channels(); ++c) {
            scale_[c] = gamma[c] * inverse_deviation_[c];
            shift_[c] = beta[c];
        }
    }

    /// This rank's part of the parameters' gradients; the data's coefficients from all ranks' sums:
    /// dx = scale (g - <g> - (x - mean) <g (x - mean)> / deviation^2)
    void finish_gradients(float* dgamma, float* dbeta) {
        for (std::size_t c = 0; c < channels(); ++c) {
            dbeta[c] = static_cast<float>(sums_[c]);
            dgamma[c] = static_cast<float>(sums_[channels() + c] * inverse_deviation_[c]);
        }
        const double all_rows = share_sums();
        for (std::size_t c = 0; c < channels(); ++c) {
            const double scale = scale_[c], inverse = inverse_deviation_[c];
            constant_[c] = static_cast<float>(-scale * sums_[c] / all_rows);
            by_input_[c] =
                static_cast<float>(-scale * inverse * inverse * sums_[channels() + c] / all_rows);
        }
    }

    BatchNormShape shape_;
    NormPasses& passes_;
    std::vector<float> mean_, inverse_deviation_, scale_, shift_, by_input_, constant_;
    std::vector<double> sums_;  // [2, channels], then the rows
};

}  // namespace

std::unique_ptr<BatchNorm> make_batch_norm(const BatchNormShape& shape, NormPasses& passes) {
    return std::make_unique<HostBatchNorm>(shape, passes);
}

}  // namespace nanoatlas::kernels::reference
