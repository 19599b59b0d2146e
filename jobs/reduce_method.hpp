// What a method of `reduce` is to the job: its options, its run, what it writes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/options.hpp"
#include "comm/communicator.hpp"
#include "reduce/enhance/chain.hpp"
#include "store/artefact.hpp"
#include "store/matrix.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {

/// What is reduced: a matrix by its source, changed by the chain before.
struct ReduceInput {
    std::string source, corpus;
    reduce::EnhancementChain chain;

    /// True if the rows can be read from their file a few at a time, as they are.
    bool can_stay_in_file() const;
    /// The rows in blocks over the ranks, as they are given. Collective.
    store::Matrix<double> read_as_given(store::Provenance& provenance,
                                        const comm::Communicator& world) const;
    /// The same, enhanced, as all enhancement is of f32.
    store::Matrix<float> read(store::Provenance& provenance, const comm::Communicator& world) const;
};

/// What a file holds can be applied to other rows: it was fitted by that method, and neither there
/// nor here are rows enhanced.
/// throws InputError if not
void check_fit(const store::ArtefactReader& file, const std::string& method,
               const ReduceInput& input);

class ReduceMethod {
  public:
    virtual ~ReduceMethod() = default;

    /// Adds its options to the job's, filled when the table is parsed.
    virtual void add_options(base::OptionTable& table) = 0;
    /// What --components is where it is not given.
    virtual std::string default_components() const { return "50"; }
    /// Collective. The embedding, a row for each row of the input.
    virtual store::Matrix<float> run(const ReduceInput& input, store::Provenance& provenance,
                                     const comm::Communicator& world) = 0;
    /// Collective. All datasets and attributes but `embedding` and `method`.
    virtual void write(store::ArtefactWriter& writer) const = 0;
    /// What was done, in a few words: "2048 columns -> 50 components, 93.1 % of the variance".
    virtual std::string summary() const = 0;
};

/// Options of more than one method.
struct SharedReduceOptions {
    std::string output;      ///< file to write
    std::string components;  ///< never empty once a method runs
    std::uint64_t seed = 0;
    std::string fitted;  ///< embedding.h5 whose fit takes these rows, too; "": fit anew
};

std::unique_ptr<ReduceMethod> make_pca(std::shared_ptr<const SharedReduceOptions> shared);
std::unique_ptr<ReduceMethod> make_autoencoder(std::shared_ptr<const SharedReduceOptions> shared);
std::unique_ptr<ReduceMethod> make_tsne(std::shared_ptr<const SharedReduceOptions> shared);

}  // namespace nanoatlas::jobs
