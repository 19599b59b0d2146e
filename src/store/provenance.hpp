// Where an artefact came from: options, seed, commit, libraries, hardware, ranks, seconds by phase,
// hashes of the inputs.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/options.hpp"
#include "base/stopwatch.hpp"
#include "comm/communicator.hpp"

namespace nanoatlas::store {

/// Hash (XXH3, 64 bit, as hex) of a file's bytes: ranks hash pieces of 64 MiB, the pieces' hashes
/// are hashed, so the number of ranks does not show. Collective. throws InputError if it cannot be
/// read
std::string hash_file(const std::string& path, const comm::Communicator& comm);
/// Hash of the names, sizes and times of change of all files below a folder. Collective.
std::string hash_folder(const std::string& path, const comm::Communicator& comm);

class Provenance {
  public:
    Provenance(const base::OptionTable& options, const comm::Communicator& comm);

    /// Records a file or folder that the job reads, with its hash. Collective.
    void add_input(const std::string& path);
    /// A figure worth keeping ("accuracy", 0.93), beside the timings.
    void add_result(const std::string& name, double value);
    void set_seed(std::uint64_t seed) { seed_ = seed; }

    /// Timings of the job's phases: auto scope = provenance.phases().measure("cluster/density");
    base::PhaseTimes& phases() { return phases_; }
    const base::PhaseTimes& phases() const { return phases_; }

    /// Equal for two runs that would write the same: job, version and commit, options (without the
    /// volatile ones and the names of inputs' folders), hashes of the inputs.
    std::string fingerprint() const;
    /// All of it as JSON.
    std::string json() const;

  private:
    struct Input {
        std::string path, hash;
    };
    std::string job_;
    base::Settings given_, resolved_, fingerprint_options_;
    const comm::Communicator& comm_;
    std::vector<Input> inputs_;
    std::vector<std::pair<std::string, double>> results_;
    std::uint64_t seed_ = 0;
    base::PhaseTimes phases_;
};

}  // namespace nanoatlas::store
