#include "reduce/autoencoder/split.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/check.hpp"
#include "base/random.hpp"

namespace nanoatlas::reduce {

Split draw_split(std::int64_t rows, double share, std::uint64_t seed) {
    VALIDATE(share >= 0 && share < 1,
             "--holdout {} is not in [0, 1); it is the share of the rows that are kept back to "
             "judge by",
             share);
    const std::int64_t least = share > 0 ? 3 : 2;
    VALIDATE(rows >= least, "{} rows are too few for an autoencoder; give at least {}", rows,
             least);
    const auto wanted = static_cast<std::int64_t>(std::llround(share * static_cast<double>(rows)));
    const auto held = share > 0 ? std::clamp<std::int64_t>(wanted, 1, rows - 2) : 0;
    const auto order = base::permutation(rows, base::Random(seed, base::fnv1a("held out")));
    Split split{.trained = {order.begin() + held, order.end()},
                .held_out = {order.begin(), order.begin() + held}};
    std::ranges::sort(split.trained);
    std::ranges::sort(split.held_out);
    return split;
}

Split split_of(const store::CorpusReader& corpus, double share, std::uint64_t seed) {
    auto held_out = corpus.rows_of(store::Part::validation);
    if (share == 0 || held_out.empty()) return draw_split(corpus.rows(), share, seed);
    Split split{.trained = {}, .held_out = std::move(held_out)};
    for (const auto part : {store::Part::train, store::Part::test})
        std::ranges::copy(corpus.rows_of(part), std::back_inserter(split.trained));
    std::ranges::sort(split.trained);
    VALIDATE(split.trained.size() >= 2,
             "all but {} of the {} images of '{}' are its validation part, which is held out; give "
             "--holdout 0",
             split.trained.size(), corpus.rows(), corpus.path());
    return split;
}

}  // namespace nanoatlas::reduce
