#include "reduce/autoencoder/history.hpp"

#include <limits>
#include <nlohmann/json.hpp>

namespace nanoatlas::reduce {

std::string line_of(std::int64_t epoch, const EpochErrors& errors) {
    const nlohmann::ordered_json line = {
        {"epoch", epoch}, {"trained", errors.trained}, {"held_out", errors.held_out}};
    return line.dump();
}

EpochErrors errors_of(const std::string& line) {
    const auto document = nlohmann::json::parse(line);
    const auto number = [&](const char* name) {
        const auto& value = document.at(name);
        return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
    };
    return {.trained = number("trained"), .held_out = number("held_out")};
}

}  // namespace nanoatlas::reduce
