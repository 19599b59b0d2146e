// What a method of `cluster` is to the job: its options, its run, what it writes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/options.hpp"
#include "base/stopwatch.hpp"
#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "store/artefact.hpp"
#include "store/matrix.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {

/// Options of more than one method.
struct SharedOptions {
    int k = 0;               ///< number of clusters; 0: not given
    std::string neighbours;  ///< file with lists of neighbours; "": none
    int subsamples = 0;      ///< random parts of the rows to cluster anew
};

class ClusterMethod {
  public:
    virtual ~ClusterMethod() = default;

    /// Adds its options to the job's, filled when the table is parsed.
    virtual void add_options(base::OptionTable& table) = 0;
    /// throws InputError if its options make no sense
    virtual void validate() const = 0;
    /// Files that it reads beside the matrix.
    virtual std::vector<std::string> inputs() const { return {}; }
    /// Collective. Groups the rows of the matrix.
    virtual void run(store::Matrix<double> matrix, base::PhaseTimes& phases,
                     const comm::Communicator& world) = 0;
    /// Of each of this rank's rows, as they were given.
    virtual const comm::RowBlock& rows() const = 0;
    virtual std::span<const std::int32_t> label() const = 0;
    /// Collective. All datasets and attributes but `label` and `method`.
    virtual void write(store::ArtefactWriter& writer) const = 0;
    /// Collective. What was found, in a few lines; figures go into the provenance, too.
    virtual void print_summary(store::Provenance& provenance,
                               const comm::Communicator& world) const = 0;
};

std::unique_ptr<ClusterMethod> make_adp(std::shared_ptr<const SharedOptions> shared);
std::unique_ptr<ClusterMethod> make_hdbscan(std::shared_ptr<const SharedOptions> shared);
std::unique_ptr<ClusterMethod> make_dp(std::shared_ptr<const SharedOptions> shared);
std::unique_ptr<ClusterMethod> make_kmeans(std::shared_ptr<const SharedOptions> shared);

}  // namespace nanoatlas::jobs
