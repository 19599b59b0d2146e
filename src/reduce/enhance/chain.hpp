// Feature enhancement: steps by name, one after the other: "power:0.5,center,l2,whiten:256".
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "reduce/enhance/step.hpp"

namespace nanoatlas::reduce {

class EnhancementChain {
  public:
    /// text: steps with their parameters, by commas; "on": power,center,l2; "off" or "": none.
    /// throws InputError for an unknown step (lists those there are) or a parameter out of range
    explicit EnhancementChain(const std::string& text);

    bool is_empty() const { return steps_.empty(); }
    bool needs_pixel_size() const;
    /// The steps as they will be done, by commas.
    const std::string& text() const { return text_; }

    /// Collective. throws InputError if a step lacks what it needs (pixel sizes, enough rows), or a
    /// value leaves the range of f32
    void apply(FeatureMatrix& matrix, const Surroundings& surroundings) const;

    /// What there is, for --help: a line a step.
    static std::string steps_in_words();

  private:
    struct Named {
        std::string text;
        std::unique_ptr<EnhancementStep> step;
    };
    std::string text_;
    std::vector<Named> steps_;
};

}  // namespace nanoatlas::reduce
