// Progress of long work: a bar with rate and time left on a terminal, plain lines in a batch log.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace nanoatlas::base {

/// Shown by the rank whose log speaks (rank 0); silent elsewhere and with --quiet.
/// advance() may be called from any thread. JSON events "progress" go to the JSON log.
class Progress {
  public:
    /// name: the phase, "ingest/decode"; unit: what is counted, "images"; total may be 0 (unknown)
    Progress(std::string name, std::int64_t total, std::string unit);
    ~Progress();
    Progress(Progress&&) noexcept;
    Progress& operator=(Progress&&) noexcept;

    void advance(std::int64_t count = 1);
    /// A short text shown behind the bar, such as the running loss.
    void note(const std::string& text);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace nanoatlas::base
