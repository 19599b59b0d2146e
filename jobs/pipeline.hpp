// The stages of `nanoatlas run`: which job each is, what it reads and writes, and whether what it
// wrote is still true.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/options.hpp"
#include "comm/communicator.hpp"
#include "jobs/jobs.hpp"

namespace nanoatlas::jobs {

/// One step of the way: a job with the options it will be given.
struct Stage {
    std::string name;  ///< that of the job, but for `map`, which is a reduce
    std::string job;
    std::map<std::string, std::vector<std::string>> options;

    std::string output() const;
    Arguments arguments() const;
    /// Values of options that name something on disk which the stage does not write itself.
    std::vector<std::string> inputs() const;
    /// It keeps checkpoints: train, and reduce by an autoencoder.
    bool can_resume() const;
};

/// The stages of a configuration, in the order of the way of the data. Sections name the stages;
/// [run] folder = F gives each stage its place there (F/corpus.h5, F/model.h5, ...) unless the
/// section says otherwise. `map` is a t-SNE of what is clustered. synth, train, evaluate, enhance,
/// dimension and score take part only where they have a section; score also needs labels, so it is
/// for labelled corpora. neighbours makes lists, as long as dimension, map and cluster need them,
/// which all read them; it is left out where none does. named: all sections of the configuration,
/// those without settings too. throws
/// InputError on a section that is no stage
std::vector<Stage> plan_pipeline(const base::Settings& settings,
                                 const std::vector<std::string>& named);

/// What is known of the stages that ran before: a file run-state.json beside the artefacts.
/// Collective, all members.
class PipelineState {
  public:
    PipelineState(std::string path, const comm::Communicator& comm);

    /// What the stage's output depends on: version, commit, options, hashes of the inputs. Take it
    /// before the stage runs: an input that changes meanwhile then counts as changed.
    std::string key_of(const Stage& stage) const;
    /// True if the stage ran with the same key, and its output is there, unchanged since.
    bool is_up_to_date(const Stage& stage, const std::string& key) const;
    /// Remembers that the stage's output is now what the key says.
    void record(const Stage& stage, const std::string& key, double seconds);
    /// Seconds the stage took when it last ran.
    double seconds(const Stage& stage) const;

  private:
    struct Entry {
        std::string key, output_hash;
        double seconds = 0;
    };
    std::string hash_of(const std::string& path) const;
    void save() const;

    std::string path_;
    const comm::Communicator& comm_;
    std::map<std::string, Entry> entries_;
};

}  // namespace nanoatlas::jobs
