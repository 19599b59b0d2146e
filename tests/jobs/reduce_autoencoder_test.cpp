// The job reduce with --method autoencoder, called in the program of the test so that any number of
// ranks can.
#include <gtest/gtest.h>
#include <hdf5.h>

#include <cmath>
#include <filesystem>

#include "base/check.hpp"
#include "base/random.hpp"
#include "jobs/jobs.hpp"
#include "store/artefact.hpp"
#include "store/matrix.hpp"
#include "tests/small_corpus.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::jobs {
namespace {

using testing::world;

class ReduceByAutoencoder : public ::testing::Test {
  protected:
    /// Points of a circle, by waves in each of the columns.
    std::string circle(const std::string& name, std::int64_t rows, std::int64_t columns) const {
        std::string text;
        for (std::int64_t i = 0; i < rows; ++i) {
            const double angle = base::Random(60, i).uniform(0, 6.28318);
            for (std::int64_t j = 0; j < columns; ++j)
                text += fmt::format(
                    "{}{:.6f}", j > 0 ? "," : "",
                    std::sin(angle * static_cast<double>(1 + j % 2) + static_cast<double>(j)));
            text += '\n';
        }
        return folder_.write(name, text);
    }
    /// Pictures that darken to one side, the last of four held out.
    std::string corpus(const std::string& name, std::int64_t rows) const {
        const auto row = [](std::int64_t i) {
            testing::SmallCorpusRow image{.part = i % 4 == 3 ? store::Part::validation
                                                             : store::Part::train};
            for (int y = 0; y < 16; ++y)
                for (int x = 0; x < 16; ++x)
                    image.pixels.push_back(
                        static_cast<std::uint8_t>(60 + (i % 7) * y + (i % 5) * x));
            return image;
        };
        return testing::write_small_corpus(folder_ / name,
                                           {.height = 16, .width = 16, .rows = rows, .row = row});
    }
    int reduce(const std::string& input, const std::string& output, const Arguments& more) const {
        Arguments arguments{"--input",  input,         "--output", folder_ / output,
                            "--method", "autoencoder", "--quiet"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run_reduce(arguments, world());
    }
    std::string refusal(const std::string& input, const Arguments& more) const {
        try {
            reduce(input, "refused.h5", more);
        } catch (const InputError& error) {
            EXPECT_FALSE(std::filesystem::exists(folder_ / "refused.h5"));
            return error.what();
        }
        return "";
    }
    std::vector<float> embedding(const std::string& name) const {
        return store::read_matrix<float>(folder_ / name, world()).values;
    }
    testing::TemporaryFolder folder_;
};

void expect_near(const std::vector<float>& found, const std::vector<float>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-5);
}

const Arguments few{"--components", "2", "--hidden", "12", "--epochs", "30", "--lr", "0.01"};

TEST_F(ReduceByAutoencoder, file_holds_the_codes_and_all_that_makes_them) {
    const auto input = circle("c.csv", 120, 6);
    EXPECT_EQ(reduce(input, "e.h5", few), 0);
    const store::ArtefactReader file(folder_ / "e.h5", "embedding");
    EXPECT_EQ(file.shape("embedding"), (store::Shape{120, 2}));
    EXPECT_EQ(file.shape("mean"), (store::Shape{6}));
    EXPECT_EQ(file.shape("deviation"), (store::Shape{6}));
    EXPECT_EQ(file.shape("tensors/encoder.0.weight"), (store::Shape{12, 6}));
    EXPECT_EQ(file.shape("tensors/code.weight"), (store::Shape{2, 12}));
    EXPECT_EQ(file.shape("tensors/reconstruction.bias"), (store::Shape{6}));
    EXPECT_EQ(file.text("method"), "autoencoder");
    EXPECT_EQ(file.text("hidden"), "12");
    EXPECT_EQ(file.number("rows_held_out"), 12);
    const auto trained = file.read<double>("history/trained"),
               held_out = file.read<double>("history/held_out");
    ASSERT_EQ(trained.size(), 30U);
    EXPECT_LT(trained[29], 0.5 * trained[0]);
    const auto best = file.number("epoch");
    EXPECT_NEAR(held_out[static_cast<std::size_t>(best - 1)], file.number("reconstruction_error"),
                1e-5);
    EXPECT_GT(file.number("pca_reconstruction_error"), 0);
    EXPECT_LT(file.number("pca_reconstruction_error"), 1);
}

TEST_F(ReduceByAutoencoder, what_was_fitted_reduces_other_rows_as_it_did_its_own) {
    const auto input = circle("c.csv", 60, 6), one_more = circle("d.csv", 61, 6);
    reduce(input, "e.h5", few);
    const Arguments fitted{"--fitted", folder_ / "e.h5"};
    reduce(input, "again.h5", fitted);
    expect_near(embedding("again.h5"), embedding("e.h5"));
    // Its output is as good as the first one's to fit by; the other rows have these among them.
    reduce(one_more, "other.npy", {"--fitted", folder_ / "again.h5"});
    const auto whole = world().all_gather(embedding("e.h5"));
    auto other = world().all_gather(embedding("other.npy"));
    ASSERT_EQ(other.size(), 122U);
    other.resize(120);
    expect_near(other, whole);
}

TEST_F(ReduceByAutoencoder, pictures_of_a_corpus_are_convolved) {
    const auto input = corpus("corpus.h5", 40);
    const Arguments options{"--components", "2",        "--hidden", "4,8",     "--size",
                            "16",           "--epochs", "4",        "--batch", "8"};
    EXPECT_EQ(reduce(input, "e.h5", options), 0);
    const store::ArtefactReader file(folder_ / "e.h5", "embedding");
    EXPECT_EQ(file.shape("embedding"), (store::Shape{40, 2}));
    EXPECT_EQ(file.shape("tensors/encoder.1.weight"), (store::Shape{8, 4, 3, 3}));
    EXPECT_EQ(file.shape("mean"), (store::Shape{1}));
    EXPECT_EQ(file.number("rows_held_out"), 10);  // the validation part
    reduce(input, "again.h5", {"--fitted", folder_ / "e.h5"});
    expect_near(embedding("again.h5"), embedding("e.h5"));
    EXPECT_NE(refusal(input, {"--components", "2", "--enhance", "l2"}).find("pictures"),
              std::string::npos);
    EXPECT_NE(refusal(input, {"--components", "2", "--size", "20"}).find("halved"),
              std::string::npos);
    EXPECT_NE(refusal(input, {"--components", "2", "--size", "1"}).find("--size 1"),
              std::string::npos);
    EXPECT_NE(refusal(circle("c.csv", 20, 6), {"--fitted", folder_ / "e.h5"}).find("corpus.h5"),
              std::string::npos);
}

TEST_F(ReduceByAutoencoder, wrong_input_is_refused_in_words) {
    const auto input = circle("c.csv", 30, 6);
    const auto refused = [&](const Arguments& more) { return refusal(input, more); };
    for (const std::string components : {"0", "-1", "0.95", "many"})
        EXPECT_NE(refused({"--components", components}).find("--components"), std::string::npos);
    EXPECT_NE(refused({"--components", "6"}).find("nothing to learn"), std::string::npos);
    EXPECT_NE(refused({"--components", "2", "--hidden", "8,"}).find("--hidden"), std::string::npos);
    EXPECT_NE(refused({"--components", "2", "--holdout", "1"}).find("--holdout"),
              std::string::npos);
    EXPECT_NE(refused({"--components", "2", "--epochs", "0"}).find("--epochs"), std::string::npos);
    EXPECT_NE(refusal(folder_.write("nan.csv", "1,2,3\n4,nan,6\n7,8,9\n"), {"--components", "2"})
                  .find("row 1, column 1"),
              std::string::npos);
    EXPECT_NE(refusal(folder_.write("equal.csv", "1,2,3\n1,2,3\n1,2,3\n"), {"--components", "2"})
                  .find("equal"),
              std::string::npos);
}

/// A value in the middle of a dataset of f32 becomes another one.
void damage(const std::string& path, const char* dataset, float value) {
    const auto file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    const auto data = H5Dopen2(file, dataset, H5P_DEFAULT);
    const auto space = H5Dget_space(data);
    std::vector<float> values(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
    H5Dread(data, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    values[values.size() / 2] = value;
    H5Dwrite(data, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Sclose(space);
    H5Dclose(data);
    H5Fclose(file);
}

TEST_F(ReduceByAutoencoder, fitted_files_that_do_not_fit_are_refused) {
    const auto input = circle("c.csv", 30, 6);
    reduce(input, "e.h5", few);
    const Arguments fitted{"--fitted", folder_ / "e.h5"};
    EXPECT_NE(refusal(circle("wide.csv", 30, 7), fitted).find("7"), std::string::npos);
    EXPECT_NE(refusal(corpus("corpus.h5", 8), fitted).find("columns"), std::string::npos);
    EXPECT_EQ(run_reduce({"--input", input, "--output", folder_ / "pca.h5", "--components", "2",
                          "--quiet"},
                         world()),
              0);
    EXPECT_NE(refusal(input, {"--fitted", folder_ / "pca.h5"}).find("--method pca"),
              std::string::npos);
    EXPECT_NE(refusal(input, {"--fitted", folder_ / "e.h5", "--enhance", "l2"}).find("enhance"),
              std::string::npos);
    EXPECT_NE(refusal(input, {"--fitted", folder_ / "absent.h5"}), "");
    EXPECT_NE(refusal(input, {"--fitted", input}), "");
    const auto spoil = [&](const char* name, const std::function<void(hid_t)>& change) {
        world().on_root([&] {
            std::filesystem::copy_file(folder_ / "e.h5", folder_ / "bad.h5",
                                       std::filesystem::copy_options::overwrite_existing);
            const auto file = H5Fopen((folder_ / "bad.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
            change(file);
            H5Fclose(file);
        });
        const auto found = refusal(input, {"--fitted", folder_ / "bad.h5"});
        EXPECT_NE(found.find(name), std::string::npos) << found;
    };
    spoil("code.bias", [](hid_t file) { H5Ldelete(file, "tensors/code.bias", H5P_DEFAULT); });
    spoil("hidden", [](hid_t file) { H5Adelete(file, "hidden"); });
    spoil("deviation", [](hid_t file) { H5Ldelete(file, "deviation", H5P_DEFAULT); });
    const auto set_number = [](const char* name, std::int64_t value) {
        return [=](hid_t file) {
            const auto attribute = H5Aopen(file, name, H5P_DEFAULT);
            H5Awrite(attribute, H5T_NATIVE_INT64, &value);
            H5Aclose(attribute);
        };
    };
    spoil("code.weight", set_number("components", 3));
    spoil("nothing to learn", set_number("components", 1 << 30));
    world().on_root([&] { damage(folder_ / "e.h5", "tensors/code.weight", NAN); });
    EXPECT_NE(refusal(input, fitted).find("not finite"), std::string::npos);
}

}  // namespace
}  // namespace nanoatlas::jobs
