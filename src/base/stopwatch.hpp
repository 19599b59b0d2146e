// Wall time of a job's phases.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace nanoatlas::base {

class Stopwatch {
  public:
    /// Seconds since construction or the last restart.
    double seconds() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    }
    void restart() { start_ = std::chrono::steady_clock::now(); }

  private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Since the process began, near enough: set when the program is loaded.
inline const Stopwatch process_watch;

/// Seconds by phase, in the order in which the phases began. A phase's name is that of the docs:
/// "cluster/adp/density".
class PhaseTimes {
  public:
    /// Times the scope it lives in.
    class Scope {
      public:
        Scope(PhaseTimes& times, std::string name) : times_(times), name_(std::move(name)) {}
        ~Scope() { times_.add(name_, watch_.seconds()); }
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;

      private:
        PhaseTimes& times_;
        std::string name_;
        Stopwatch watch_;
    };

    [[nodiscard]] Scope measure(std::string name) { return {*this, std::move(name)}; }
    void add(const std::string& name, double seconds) {
        for (auto& [known, sum] : seconds_)
            if (known == name) {
                sum += seconds;
                return;
            }
        seconds_.emplace_back(name, seconds);
    }
    const std::vector<std::pair<std::string, double>>& seconds() const { return seconds_; }

  private:
    std::vector<std::pair<std::string, double>> seconds_;
};

}  // namespace nanoatlas::base
