#include "reduce/component_choice.hpp"

#include <cmath>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/number.hpp"

namespace nanoatlas::reduce {
namespace {

double parse_components(const std::string& text) {
    const double value = base::parse_number<double>(text).value_or(0);
    VALIDATE(std::isfinite(value) && value > 0 && (value < 1 || value == std::trunc(value)),
             "--components is '{}'; give a number of components or a share of the variance below 1 "
             "such as 0.95",
             text);
    return value;
}

}  // namespace

ComponentChoice::ComponentChoice(const std::string& components, std::int64_t most)
    : wanted_(parse_components(components)), most_(most) {
    VALIDATE(most >= 1, "a matrix of 1 row has no variance; give at least 2");
    if (wanted_ <= static_cast<double>(most)) return;
    base::log_warning(
        fmt::format("{} components are asked for; this matrix has {} (rows - 1, "
                    "columns), which are kept",
                    wanted_, most));
    wanted_ = static_cast<double>(most);
}

std::optional<std::int64_t> ComponentChoice::count() const {
    return wanted_ < 1 ? std::nullopt : std::optional(static_cast<std::int64_t>(wanted_));
}

EigenPairs ComponentChoice::of(const PackedMatrix& matrix, const comm::Communicator& comm) const {
    auto k = count().value_or(0);
    if (!count()) comm.on_root([&] { k = enough(matrix); });
    return leading_eigenpairs(matrix, comm.broadcast(k), comm);
}

std::int64_t ComponentChoice::enough(const PackedMatrix& matrix) const {
    const auto values = all_eigenvalues(matrix.whole(), matrix.n);
    const double trace = matrix.trace();
    double sum = 0;
    std::int64_t k = 0;
    while (k < most_ && sum <= wanted_ * trace) sum += values[static_cast<std::size_t>(k++)];
    return k;
}

}  // namespace nanoatlas::reduce
