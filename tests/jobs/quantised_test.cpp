// extract and classify on 8-bit integers, on real micrographs.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <numeric>

#include "store/artefact.hpp"
#include "tests/command.hpp"
#include "tests/shared_data.hpp"

namespace nanoatlas::testing {
namespace {

std::string run(const std::string& arguments, int ranks = 1) {
    const auto result = run_nanoatlas(arguments, ranks);
    EXPECT_EQ(result.status, 0) << arguments << "\n" << result.output;
    return result.output;
}

/// Cosine of the rows' values, the mean over the rows.
double mean_cosine(const std::vector<float>& a, const std::vector<float>& b, std::size_t rows) {
    const auto columns = a.size() / rows;
    double sum = 0;
    for (std::size_t first = 0; first < a.size(); first += columns) {
        const auto product = [&](const std::vector<float>& x, const std::vector<float>& y) {
            const auto begin = static_cast<std::ptrdiff_t>(first);
            return std::inner_product(x.begin() + begin,
                                      x.begin() + begin + static_cast<std::ptrdiff_t>(columns),
                                      y.begin() + begin, 0.0);
        };
        sum += product(a, b) / std::sqrt(product(a, a) * product(b, b));
    }
    return sum / static_cast<double>(rows);
}

class QuantisedJobs : public ::testing::Test {
  protected:
    std::string path(const std::string& name) const { return folder_ / name; }
    static std::string images() {
        return (shared_data() / "data/sem-ncm/images/333_formation").string();
    }

  private:
    ScratchFolder folder_;
};

TEST_F(QuantisedJobs, features_stay_close_to_those_of_f32_on_any_number_of_ranks) {
    NEEDS_SHARED("data/sem-ncm/images/333_formation");
    if (!std::filesystem::exists(std::string(NANOATLAS_WEIGHTS) + "/efficientnet_lite0.pth"))
        GTEST_SKIP() << "skipped: the weights of EfficientNet-lite0 are absent";
    run("ingest --images " + images() + " --size 224 --output " + path("corpus.h5"));
    const auto extract = [&](const std::string& output, const std::string& more, int ranks) {
        return run("extract --corpus " + path("corpus.h5") + " --output " + path(output) + more,
                   ranks);
    };
    extract("f32.h5", "", 1);
    extract("int8.h5", " --precision int8", 1);
    extract("ranks.h5", " --precision int8", 2);

    const store::ArtefactReader f32(path("f32.h5")), int8(path("int8.h5")), two(path("ranks.h5"));
    const auto expected = f32.read<float>("features");
    const auto rows = static_cast<std::size_t>(f32.shape("features")[0]);
    const double cosine = mean_cosine(int8.read<float>("features"), expected, rows);
    std::printf("%zu images: mean cosine %.4f\n", rows, cosine);
    EXPECT_GT(cosine, 0.998);
    EXPECT_EQ(int8.read<double>("ranges/limit"), two.read<double>("ranges/limit"));
    EXPECT_GT(mean_cosine(two.read<float>("features"), int8.read<float>("features"), rows), 0.9999);
}

}  // namespace
}  // namespace nanoatlas::testing
