#include "reduce/autoencoder/loss.hpp"

#include <cstddef>

#include "base/check.hpp"

namespace nanoatlas::reduce {

double squared_error(std::span<const float> outputs, std::span<const float> targets,
                     std::int64_t values, std::span<float> gradient) {
    ASSERT(outputs.size() == targets.size() && outputs.size() == gradient.size());
    const double part = 1 / static_cast<double>(values);
    double sum = 0;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const double difference = static_cast<double>(outputs[i]) - targets[i];
        sum += difference * difference;
        gradient[i] = static_cast<float>(2 * part * difference);
    }
    return sum * part;
}

std::vector<double> squared_errors(std::span<const float> outputs, std::span<const float> targets,
                                   std::int64_t elements) {
    ASSERT(outputs.size() == targets.size());
    const auto width = static_cast<std::size_t>(elements);
    std::vector<double> errors(outputs.size() / width);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const double difference = static_cast<double>(outputs[i]) - targets[i];
        errors[i / width] += difference * difference;
    }
    return errors;
}

}  // namespace nanoatlas::reduce
