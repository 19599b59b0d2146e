#include "synth/specimen.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "synth/noise.hpp"

namespace nanoatlas::synth {

double choose_field(base::Random& random, double feature, double share_low, double share_high) {
    const double wanted = feature / log_uniform(random, share_low, share_high);
    const double magnification = std::clamp(print_width / wanted, 25.0, 400e3);
    const double decade = std::pow(10, std::floor(std::log10(magnification)));
    constexpr std::array dialled = {1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.5, 8.0, 10.0};
    double nearest = dialled.front();
    for (const double step : dialled)
        if (std::abs(std::log(step * decade / magnification)) <
            std::abs(std::log(nearest * decade / magnification)))
            nearest = step;
    return print_width / (nearest * decade);
}

}  // namespace nanoatlas::synth
