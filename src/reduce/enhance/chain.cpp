#include "reduce/enhance/chain.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/check.hpp"

namespace nanoatlas::reduce {
namespace {

struct Kind {
    const char* name;
    const char* usage;
    std::unique_ptr<EnhancementStep> (*make)(Parameters&);
};

constexpr Kind kinds[] = {
    {"power", "power[:EXPONENT]", make_power},
    {"center", "center", make_center},
    {"standardise", "standardise", make_standardise},
    {"l2", "l2", make_l2},
    {"whiten", "whiten[:COMPONENTS[:SHRINKAGE]]", make_whiten},
    {"diffuse", "diffuse[:K[:ALPHA[:ROUNDS]]]", make_diffuse},
    {"scale", "scale[:WEIGHT]", make_scale},
    {"unscale", "unscale", make_unscale},
};

std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> words;
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find(',', begin), text.size());
        auto word = text.substr(begin, end - begin);
        std::erase(word, ' ');
        words.push_back(word);
        begin = end + 1;
    }
    return words;
}

std::unique_ptr<EnhancementStep> make_step(const std::string& text) {
    Parameters parameters(text);
    for (const auto& kind : kinds) {
        if (parameters.step() != kind.name) continue;
        auto step = kind.make(parameters);
        parameters.finish();
        return step;
    }
    throw InputError(fmt::format("enhancement step '{}' is unknown; steps are: {}",
                                 parameters.step(), EnhancementChain::steps_in_words()));
}

void check_finite(const FeatureMatrix& matrix, const std::string& step,
                  const comm::Communicator& comm) {
    const bool finite =
        std::ranges::all_of(matrix.values, [](float x) { return std::isfinite(x); });
    VALIDATE(comm.all(finite),
             "enhancement step '{}' leaves values beyond the range of 32-bit floating point; scale "
             "the matrix before",
             step);
}

}  // namespace

EnhancementChain::EnhancementChain(const std::string& text) {
    if (text == "off" || text.empty()) return;
    text_ = text == "on" ? "power,center,l2" : text;
    for (const auto& word : split(text_)) steps_.push_back({word, make_step(word)});
}

bool EnhancementChain::needs_pixel_size() const {
    return std::ranges::any_of(steps_,
                               [](const auto& named) { return named.step->needs_pixel_size(); });
}

void EnhancementChain::apply(FeatureMatrix& matrix, const Surroundings& surroundings) const {
    VALIDATE(!needs_pixel_size() || !surroundings.pixel_size.empty(),
             "enhancement by pixel size needs to know it; give --corpus corpus.h5");
    for (const auto& [text, step] : steps_) {
        step->apply(matrix, surroundings);
        check_finite(matrix, text, surroundings.comm);
    }
}

std::string EnhancementChain::steps_in_words() {
    std::vector<std::string> usages;
    for (const auto& kind : kinds) usages.emplace_back(kind.usage);
    return fmt::format("{}", fmt::join(usages, ", "));
}

}  // namespace nanoatlas::reduce
