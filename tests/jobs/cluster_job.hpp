// What tests of `cluster` and the jobs around it share: clouds to group, in a folder of their own.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "base/random.hpp"
#include "tests/command.hpp"

namespace nanoatlas::testing {

class ClusterJob : public ::testing::Test {
  protected:
    std::string path(const std::string& name) const { return folder_ / name; }

    // Two clouds in the plane, taken turn by turn.
    std::string write_clouds(const std::string& name, std::int64_t rows) const {
        std::ofstream file(path(name));
        for (std::int64_t i = 0; i < rows; ++i) {
            base::Random random(61, i);
            file << 12.0 * static_cast<double>(i % 2) + random.normal() << ',' << random.normal()
                 << '\n';
        }
        return path(name);
    }

    CommandResult cluster(const std::string& input, const std::string& output,
                          const std::string& more = "", int ranks = 1) const {
        return run_nanoatlas(
            "cluster --Z 2.5 --input " + input + " --output " + path(output) + " " + more, ranks);
    }

    ScratchFolder folder_;
};

}  // namespace nanoatlas::testing
