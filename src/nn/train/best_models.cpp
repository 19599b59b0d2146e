#include "nn/train/best_models.hpp"

#include <algorithm>

namespace nanoatlas::nn {

bool is_better(const EpochScore& a, const EpochScore& b) {
    return a.accuracy != b.accuracy ? a.accuracy > b.accuracy : a.loss < b.loss;
}

void keep_if_best(std::vector<BestModel>& best, const EpochScore& score, std::int64_t most,
                  const std::function<TensorMap()>& tensors) {
    const auto place = std::find_if(best.begin(), best.end(), [&](const BestModel& other) {
        return is_better(score, other.score);
    });
    if (place - best.begin() >= most) return;
    best.insert(place, {.score = score, .tensors = tensors()});
    if (std::ssize(best) > most) best.pop_back();
}

bool is_out_of_patience(const std::vector<BestModel>& best, std::int64_t done,
                        std::int64_t patience) {
    return patience > 0 && !best.empty() && done - 1 - best.front().score.epoch >= patience;
}

}  // namespace nanoatlas::nn
