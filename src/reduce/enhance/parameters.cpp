#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "base/number.hpp"
#include "reduce/enhance/step.hpp"

namespace nanoatlas::reduce {

Parameters::Parameters(std::string_view text) : text_(text) {
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find(':', begin), text.size());
        words_.emplace_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
}

double Parameters::number(const char* what, double otherwise, double least, double most) {
    if (!has_more()) return otherwise;
    const auto& word = words_[next_++];
    const auto value = base::parse_number<double>(word);
    VALIDATE(value && *value >= least && *value <= most,
             "{} '{}' of enhancement step '{}' is not a number in [{}, {}]", what, word, text_,
             least, most);
    return *value;
}

std::int64_t Parameters::whole(const char* what, std::int64_t otherwise, std::int64_t least,
                               std::int64_t most) {
    const double value = number(what, static_cast<double>(otherwise), static_cast<double>(least),
                                static_cast<double>(most));
    VALIDATE(value == std::trunc(value), "{} {} of enhancement step '{}' is not a whole number",
             what, value, text_);
    return static_cast<std::int64_t>(value);
}

void Parameters::finish() const {
    VALIDATE(!has_more(), "enhancement step '{}' has a parameter too many: '{}'", text_,
             words_[next_]);
}

}  // namespace nanoatlas::reduce
