// Wrong input at the command line: a clear error, exit status 2, nothing lost; a full disk: status
// 1 and what was there before stays; a rank that dies: the others end, what was there stays.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "base/random.hpp"
#include "store/npy.hpp"
#include "tests/command.hpp"

namespace nanoatlas::testing {
namespace {

namespace fs = std::filesystem;

void write_npy(const std::string& path, std::int64_t rows, std::int64_t columns,
               const std::vector<double>& values) {
    std::ofstream file(path, std::ios::binary);
    file << store::npy_header_bytes<double>({rows, columns});
    file.write(reinterpret_cast<const char*>(values.data()),
               static_cast<std::streamsize>(values.size() * sizeof(double)));
}

std::vector<double> random_values(std::int64_t count) {
    std::vector<double> values(static_cast<std::size_t>(count));
    base::Random random(3);
    for (auto& value : values) value = random.normal();
    return values;
}

class Faults : public ::testing::Test {
  protected:
    std::string path(const std::string& name) const { return folder_ / name; }
    /// A matrix file of random numbers.
    std::string matrix(const std::string& name, std::int64_t rows, std::int64_t columns) const {
        write_npy(path(name), rows, columns, random_values(rows * columns));
        return path(name);
    }
    /// Runs and expects exit status 2 and the words, on one rank and on three.
    void expect_refused(const std::string& arguments, const std::string& words) const {
        for (const int ranks : {1, 3}) {
            const auto result = run_nanoatlas(arguments, ranks);
            EXPECT_EQ(result.status, 2) << arguments << " on " << ranks << "\n" << result.output;
            EXPECT_NE(result.output.find(words), std::string::npos)
                << "'" << words << "' is missing in: " << result.output;
            EXPECT_EQ(result.output.find("HDF5-DIAG"), std::string::npos) << result.output;
        }
    }
    ScratchFolder folder_;
};

TEST_F(Faults, unknown_jobs_options_and_choices) {
    expect_refused("clutser", "unknown job 'clutser'");
    expect_refused("cluster --maxkk 3", "did you mean 'maxk'");
    expect_refused("cluster --input x --method fuzzy --output y", "it is one of");
    expect_refused(
        "reduce --input " + matrix("a.npy", 9, 3) + " --components ten --output " + path("e.h5"),
        "ten");
    expect_refused("run", "--config is missing");
}

TEST_F(Faults, inputs_that_are_missing_damaged_or_of_another_kind) {
    const auto output = " --output " + path("e.h5");
    expect_refused("reduce --input " + path("none.h5") + output, "none.h5");
    std::ofstream(path("text.h5")) << "not HDF5";
    expect_refused("reduce --input " + path("text.h5") + output, "text.h5");
    std::ofstream(path("cut.npy")) << "\x93NUMPY";
    expect_refused("reduce --input " + path("cut.npy") + output, "cut.npy");
    ASSERT_EQ(
        run_nanoatlas("reduce --components 2 --input " + matrix("a.npy", 9, 3) + output).status, 0);
    expect_refused("extract --corpus " + path("e.h5") + " --output " + path("f.h5"),
                   "of kind 'embedding', not 'corpus'");
    fs::resize_file(path("e.h5"), fs::file_size(path("e.h5")) / 2);
    expect_refused("cluster --input " + path("e.h5") + " --output " + path("c.h5"), "e.h5");
    expect_refused("info " + path("e.h5"), "e.h5");
}

TEST_F(Faults, matrices_that_cannot_be_clustered) {
    const auto output = " --output " + path("c.h5");
    auto values = random_values(60);
    values[31] = std::numeric_limits<double>::quiet_NaN();
    write_npy(path("nan.npy"), 20, 3, values);
    expect_refused("cluster --input " + path("nan.npy") + output, "row 10");
    write_npy(path("equal.npy"), 20, 3, std::vector<double>(60, 1.5));
    expect_refused("cluster --input " + path("equal.npy") + output, "equal");
    expect_refused("cluster --input " + matrix("two.npy", 2, 3) + output, "2 rows");
    EXPECT_FALSE(fs::exists(path("c.h5")));
}

TEST_F(Faults, output_folders_that_are_missing_or_read_only) {
    const auto input = "reduce --components 2 --input " + matrix("a.npy", 9, 3);
    expect_refused(input + " --output " + path("no/such/e.h5"), "there is no folder");
    fs::create_directory(path("locked"));
    fs::permissions(path("locked"), fs::perms::owner_read | fs::perms::owner_exec);
    if (geteuid() != 0) expect_refused(input + " --output " + path("locked/e.h5"), "read-only");
    EXPECT_TRUE(fs::is_empty(path("locked")));
}

TEST_F(Faults, more_ranks_than_rows_and_k_above_the_rows_work) {
    const auto output = path("c.h5");
    const auto input = matrix("five.npy", 5, 2);
    const auto alone = run_nanoatlas("cluster --input " + input + " --output " + path("one.csv"));
    ASSERT_EQ(alone.status, 0) << alone.output;
    const auto many =
        run_nanoatlas("cluster --input " + input + " --output " + path("many.csv"), 7);
    ASSERT_EQ(many.status, 0) << many.output;
    EXPECT_EQ(run_command("cmp " + path("one.csv") + " " + path("many.csv")).status, 0);
}

TEST_F(Faults, a_reader_that_goes_away_does_not_cost_the_output) {
    const auto result =
        run_command(std::string(NANOATLAS_BINARY) + " cluster --input " + matrix("a.npy", 50, 3) +
                    " --output " + path("c.h5") + " | true");
    EXPECT_EQ(run_nanoatlas("info " + path("c.h5")).status, 0) << result.output;
}

/// A file system of a few hundred KiB that is unmounted at the end; needs the right to mount.
class SmallDisk {
  public:
    explicit SmallDisk(const fs::path& path) : path_(path.string()) {
        fs::create_directory(path);
        mounted_ = mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=512k") == 0;
    }
    ~SmallDisk() {
        if (mounted_) umount2(path_.c_str(), MNT_DETACH);
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    bool mounted() const { return mounted_; }

  private:
    std::string path_;
    bool mounted_ = false;
};

TEST_F(Faults, a_full_disk_leaves_the_old_file_as_it_was) {
    const SmallDisk disk(folder_.path() / "small");
    if (!disk.mounted()) GTEST_SKIP() << "skipped: no right to mount a small file system here";
    const auto small = matrix("small.npy", 20, 3), large = matrix("large.npy", 4000, 40);
    const auto output = path("small/e.h5");
    const auto reduce = [&](const std::string& input, int ranks) {
        return run_nanoatlas("reduce --components 3 --input " + input + " --output " + output,
                             ranks);
    };
    ASSERT_EQ(reduce(small, 1).status, 0);
    for (const int ranks : {1, 2}) {
        const auto result =
            run_nanoatlas("reduce --components 40 --input " + large + " --output " + output, ranks);
        EXPECT_EQ(result.status, 1) << result.output;
        EXPECT_NE(result.output.find("disk full"), std::string::npos) << result.output;
        EXPECT_LT(result.seconds, 20);
        EXPECT_EQ(run_nanoatlas("info " + output).status, 0) << "the old file is gone";
        for (const auto& entry : fs::directory_iterator(path("small")))
            EXPECT_EQ(entry.path(), output) << "left behind";
    }
}

// Killed once it has searched for a second, as a node that is lost.
TEST_F(Faults, a_rank_that_dies_in_the_ring_takes_the_others_out) {
    const auto output = path("n.h5"), pid = path("pid");
    const auto search = " neighbours --k 50 --output " + output + " --input ";
    ASSERT_EQ(run_nanoatlas(search + matrix("small.npy", 60, 3)).status, 0);
    const auto job = NANOATLAS_BINARY + search + matrix("large.npy", 60000, 60);
    const auto result = run_command(
        "mpirun --oversubscribe --bind-to none -n 2 " + job + " : -n 1 sh -c 'echo $$ > " + pid +
        "; exec " + job + "' & until [ -s " + pid + " ]; do sleep 0.1; done; rank=$(cat " + pid +
        "); while [ \"$(cut -d ' ' -f 14 /proc/$rank/stat)\" -lt 100 ]; do sleep 0.1; done; "
        "kill -9 $rank && start=$(date +%s); wait $!; status=$?; "
        "echo ended after $(( $(date +%s) - start )) s; exit $status");
    EXPECT_NE(result.status, 0);
    const auto told = result.output.find("ended after ");
    ASSERT_NE(told, std::string::npos) << result.output;
    EXPECT_LT(std::stoi(result.output.substr(told + 12)), 10) << result.output;
    EXPECT_NE(run_nanoatlas("info " + output).output.find("60"), std::string::npos);
}

}  // namespace
}  // namespace nanoatlas::testing
