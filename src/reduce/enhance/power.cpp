#include <cmath>

#include "reduce/enhance/step.hpp"

namespace nanoatlas::reduce {
namespace {

class Power : public EnhancementStep {
  public:
    explicit Power(double exponent) : exponent_(exponent) {}

    void apply(FeatureMatrix& matrix, const Surroundings&) const override {
#pragma omp parallel for
        for (auto& value : matrix.values)
            value = std::copysign(static_cast<float>(of_magnitude(std::abs(value))), value);
    }

  private:
    double of_magnitude(float x) const {
        return exponent_ == 0.5 ? std::sqrt(x) : std::pow(static_cast<double>(x), exponent_);
    }
    double exponent_;
};

}  // namespace

std::unique_ptr<EnhancementStep> make_power(Parameters& parameters) {
    return std::make_unique<Power>(parameters.number("exponent", 0.5, 0.01, 4));
}

}  // namespace nanoatlas::reduce
