#include "base/options.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/check.hpp"

namespace nanoatlas::base {
namespace {

struct Values {
    std::string input;
    int count = 50;
    double share = 0.5;
    bool dedup = true;
    std::vector<std::string> images{"default"};
    std::string method = "pca";
};

OptionTable table_for(Values& values) {
    OptionTable table("reduce", "reduces");
    table.add("input", values.input, "matrix").required();
    table.add("count", values.count, "how many");
    table.add("share", values.share, "which share");
    table.add("dedup", values.dedup, "find duplicates");
    table.add("images", values.images, "folders");
    table.add("method", values.method, "way").choices({"pca", "autoencoder"});
    return table;
}

std::string error_of(const std::vector<std::string>& arguments) {
    Values values;
    auto table = table_for(values);
    try {
        table.parse(arguments);
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

TEST(OptionTable, command_line_sets_the_bound_values_and_keeps_defaults) {
    Values values;
    auto table = table_for(values);
    EXPECT_EQ(table.parse({"--input", "x.h5", "--count=7", "--dedup", "off", "--images", "a", "b"}),
              Parsed::run);
    EXPECT_EQ(values.input, "x.h5");
    EXPECT_EQ(values.count, 7);
    EXPECT_EQ(values.share, 0.5);
    EXPECT_FALSE(values.dedup);
    EXPECT_EQ(values.images, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(table.given().size(), 4u);
    EXPECT_EQ(table.resolved().size(), 6u);
}

TEST(OptionTable, negative_numbers_are_values) {
    Values values;
    auto table = table_for(values);
    EXPECT_EQ(table.parse({"--input", "x", "--share", "-1.5"}), Parsed::run);
    EXPECT_EQ(values.share, -1.5);
}

TEST(OptionTable, a_switch_alone_means_on) {
    Values values;
    values.dedup = false;
    auto table = table_for(values);
    EXPECT_EQ(table.parse({"--dedup", "--input", "x"}), Parsed::run);
    EXPECT_TRUE(values.dedup);
    auto again = table_for(values);
    EXPECT_EQ(again.parse({"--dedup", "off", "--input", "x"}), Parsed::run);
    EXPECT_FALSE(values.dedup);
}

TEST(OptionTable, says_what_is_wrong) {
    EXPECT_NE(error_of({"--input", "x", "--cuont", "3"}).find("did you mean 'count'"),
              std::string::npos);
    EXPECT_NE(error_of({"--input", "x", "--count", "3.5"}).find("not a whole number"),
              std::string::npos);
    EXPECT_NE(error_of({"--input", "x", "--method", "umap"}).find("one of: pca, autoencoder"),
              std::string::npos);
    EXPECT_NE(error_of({"--input", "x", "--dedup", "maybe"}).find("on, off"), std::string::npos);
    EXPECT_NE(error_of({"--count", "3"}).find("--input is missing"), std::string::npos);
    EXPECT_NE(error_of({"stray", "--input", "x"}).find("'stray' is not an option"),
              std::string::npos);
    EXPECT_NE(error_of({"--input", "x", "--input", "y"}).find("given 2 times"), std::string::npos);
    EXPECT_NE(error_of({"--config", "/no/such.cfg"}).find("no such file"), std::string::npos);
}

TEST(OptionTable, configuration_file_counts_below_the_command_line) {
    const auto path =
        std::filesystem::temp_directory_path() / ("options-" + std::to_string(getpid()));
    std::ofstream(path) << "count = 9\n[reduce]\ninput = from-file\nimages = a\nimages = b\n"
                           "[train]\nepochs = 4\n";
    Values values;
    auto table = table_for(values);
    table.parse({"--config", path.string(), "--count", "3"});
    EXPECT_EQ(values.input, "from-file");
    EXPECT_EQ(values.count, 3);
    EXPECT_EQ(values.images, (std::vector<std::string>{"a", "b"}));
    std::ofstream(path) << "[reduce]\nunknown = 1\n";
    EXPECT_NE(error_of({"--config", path.string()}).find("unknown option 'unknown'"),
              std::string::npos);
    std::filesystem::remove(path);
}

}  // namespace
}  // namespace nanoatlas::base
