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
    EigenPairs pairs;
    comm.on_root([&] { pairs = found_in(matrix); });
    broadcast(pairs, matrix.n, comm);
    return pairs;
}

EigenPairs ComponentChoice::found_in(const PackedMatrix& matrix) const {
    const auto whole = matrix.whole();
    const auto k = count();
    return leading_eigenpairs(whole, matrix.n,
                              k ? *k : enough(all_eigenvalues(whole, matrix.n), matrix.trace()));
}

std::int64_t ComponentChoice::enough(const std::vector<double>& values, double trace) const {
    double sum = 0;
    std::int64_t k = 0;
    while (k < most_ && sum <= wanted_ * trace) sum += values[static_cast<std::size_t>(k++)];
    return k;
}

}  // namespace nanoatlas::reduce
