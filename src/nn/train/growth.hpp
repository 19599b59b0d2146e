// A trained network that goes on to other classes: which classes it has then, what its last layer
// begins with, and how well it still knows what it knew.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nn/train/calibration.hpp"
#include "nn/train/start.hpp"

namespace nanoatlas::nn {

/// What becomes of classes that the corpus lacks. automatic: they are kept if the corpus has any of
/// the others, so is about the same things.
enum class OldClasses { automatic, keep, drop };
/// "auto" | "keep" | "drop". throws InputError
OldClasses parse_old_classes(const std::string& word);

/// Whether a model has any of a corpus's classes, or one above or below them.
bool knows_any(const std::vector<std::string>& known, const std::vector<std::string>& corpus);

/// The leaves of all classes: known ones in their order, new ones behind; or of the corpus's alone.
std::vector<std::string> grown_classes(const std::vector<std::string>& known,
                                       const std::vector<std::string>& corpus, OldClasses old);

/// A trained network for other classes. A class that it knows keeps its row of the classifier; one
/// that lies below a known class begins with that row, its bias less log(how many there are), and
/// one that joins several with their mean, its bias plus that log, so that the probabilities
/// together are as before (of joined ones: where their logits are equal); others are drawn anew.
/// size 0: the model's own. Images large enough for an auxiliary output that the model lacks draw
/// it.
ModelFile adapted_model(ModelFile model, const std::vector<std::string>& classes, int size,
                        std::uint64_t seed);

/// Warns of classes that training has no images of, which nothing keeps from being forgotten, and
/// of inner nodes with images of their own above a single leaf, which can only count as that.
void warn_of_absent_classes(const Taxonomy& taxonomy, const Samples& train);

/// How well the classes that a model knew are still told apart by one that began with it.
class Retention {
  public:
    /// Passes the samples of known classes through the old model. Collective.
    ///
    /// samples  labelled as the corpus numbers its classes; images must outlive this
    Retention(const ModelFile& old, const store::CorpusReader& corpus, const Samples& samples,
              const Images& images, const InferenceOptions& options,
              const comm::Communicator& comm);

    struct ClassCounts {
        std::string name;
        std::int64_t rows = 0, right_before = 0, right_after = 0;

        double before() const { return share(right_before); }
        double after() const { return share(right_after); }

      private:
        double share(std::int64_t right) const {
            return rows > 0 ? static_cast<double>(right) / static_cast<double>(rows) : 0;
        }
    };
    /// Of the old classes that have samples; answers of the new model count by the old class that
    /// they lie in. Collective.
    std::vector<ClassCounts> compare(const ModelFile& grown) const;
    static ClassCounts sum(const std::vector<ClassCounts>& classes);

  private:
    /// By sample: whether the model's answer, in terms of the old classes, is right.
    std::vector<std::uint8_t> is_right(const ModelFile& model) const;

    Taxonomy old_;
    Samples samples_;
    const Images& images_;
    InferenceOptions options_;
    const comm::Communicator& comm_;
    std::vector<std::uint8_t> before_;
};

}  // namespace nanoatlas::nn
