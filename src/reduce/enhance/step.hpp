// One step of feature enhancement: changes the rows of a matrix so that distances between them tell
// more. A step is a file beside this one and a line of the table in chain.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/matrix.hpp"

namespace nanoatlas::reduce {

using FeatureMatrix = store::Matrix<float>;

/// The k nearest other rows of each of this rank's rows: [n, k], nearest first, equal distances by
/// index.
struct NearestRows {
    std::int64_t k = 0;
    std::vector<std::int64_t> index;
    std::vector<double> distance;
};

/// What steps may need beside the matrix.
struct Surroundings {
    const comm::Communicator& comm;
    /// Exact, the same on any number of ranks. Collective. throws InputError unless 1 <= k < rows
    std::function<NearestRows(const FeatureMatrix& matrix, std::int64_t k)> find_nearest = {};
    /// [N] of all rows [m a stored pixel], NaN unknown; empty: no corpus was given.
    std::vector<double> pixel_size = {};
};

class EnhancementStep {
  public:
    virtual ~EnhancementStep() = default;
    /// Collective; the same bits on any number of ranks.
    virtual void apply(FeatureMatrix& matrix, const Surroundings& surroundings) const = 0;
    virtual bool needs_pixel_size() const { return false; }
};

/// The parameters of a step as the user wrote them: "whiten:256:0.1".
class Parameters {
  public:
    explicit Parameters(std::string_view text);
    const std::string& step() const { return words_[0]; }
    bool has_more() const { return next_ < words_.size(); }
    /// The next one; `otherwise` if it is not given.
    /// throws InputError if it is no number in [least, most], or no whole one: says what it is
    double number(const char* what, double otherwise, double least, double most);
    std::int64_t whole(const char* what, std::int64_t otherwise, std::int64_t least,
                       std::int64_t most);
    /// throws InputError if some are left
    void finish() const;

  private:
    std::string text_;
    std::vector<std::string> words_;
    std::size_t next_ = 1;
};

// The steps: each reads its parameters.

/// power[:EXPONENT]: sign(x) |x|^EXPONENT (0.5), so that a few strong channels no longer rule the
/// distances. Perronnin, Sanchez, Mensink, ECCV 2010, 3.1.
std::unique_ptr<EnhancementStep> make_power(Parameters& parameters);
/// center: each column less its mean.
std::unique_ptr<EnhancementStep> make_center(Parameters& parameters);
/// standardise: centred, and of variance 1 (over N); columns without variance become 0.
std::unique_ptr<EnhancementStep> make_standardise(Parameters& parameters);
/// l2: rows of unit length; rows of zeros stay.
std::unique_ptr<EnhancementStep> make_l2(Parameters& parameters);
/// whiten[:COMPONENTS[:SHRINKAGE]]: the leading COMPONENTS (256) principal components, each divided
/// by the square root of (1 - s) its variance + s the mean variance of the columns; s in [0, 1],
/// without it Ledoit and Wolf's (shrinkage.hpp). Columns that are left: at most rows - 1.
std::unique_ptr<EnhancementStep> make_whiten(Parameters& parameters);
/// diffuse[:K[:ALPHA[:ROUNDS]]]: in each round (1) a row becomes (1 - ALPHA) of itself and ALPHA
/// (0.5) of the weighted mean of its neighbours in the graph that joins i and j if one is among the
/// K (10) nearest of the other, with weights exp(-d^2 / (s_i s_j)), s the distance of the 7th
/// nearest (of the K-th if K is less). Zelnik-Manor, Perona, "Self-tuning spectral clustering",
/// NIPS 2004.
std::unique_ptr<EnhancementStep> make_diffuse(Parameters& parameters);
/// scale[:WEIGHT]: one more column, the logarithm of the pixel size, centred and scaled so that its
/// variance is WEIGHT (0.1) of the sum of the others'; 0 where the size is unknown.
std::unique_ptr<EnhancementStep> make_scale(Parameters& parameters);
/// unscale: takes out of each column what a straight line over the logarithm of the pixel size
/// says (least squares over the rows whose size is known; the others stay).
std::unique_ptr<EnhancementStep> make_unscale(Parameters& parameters);

}  // namespace nanoatlas::reduce
