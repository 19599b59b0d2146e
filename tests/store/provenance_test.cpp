#include "store/provenance.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "tests/mpi_test.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::store {
namespace {

using testing::TemporaryFolder;
using testing::world;

struct Job {
    std::string input, checkpoint;
    int k = 5;

    Provenance provenance(const std::vector<std::string>& arguments) {
        base::OptionTable table("cluster", "groups rows");
        table.add("k", k, "neighbours");
        table.add("checkpoint", checkpoint, "folder").volatile_option();
        table.parse(arguments);
        Provenance provenance(table, world());
        provenance.add_input(input);
        return provenance;
    }
};

TEST(Provenance, fingerprint_follows_options_and_inputs_but_not_places_of_logs) {
    const TemporaryFolder folder;
    const auto a = folder.write("a", "one"), b = folder.write("b", "two");
    const auto same_as_a = folder.write("c", "one");
    const auto fingerprint = [&](const std::string& input,
                                 const std::vector<std::string>& arguments) {
        return Job{.input = input, .checkpoint = {}}.provenance(arguments).fingerprint();
    };
    const auto base = fingerprint(a, {});
    EXPECT_EQ(base, fingerprint(same_as_a, {"--k", "5"}));
    EXPECT_EQ(base, fingerprint(a, {"--checkpoint", "elsewhere"}));
    EXPECT_NE(base, fingerprint(b, {}));
    EXPECT_NE(base, fingerprint(a, {"--k", "6"}));
}

TEST(Provenance, tells_options_inputs_seconds_and_results) {
    const TemporaryFolder folder;
    auto provenance =
        Job{.input = folder.write("a", "one"), .checkpoint = {}}.provenance({"--k=7"});
    provenance.set_seed(42);
    provenance.phases().add("cluster/density", 1.5);
    provenance.phases().add("cluster/density", 0.5);
    provenance.add_result("clusters", 9);
    const auto document = nlohmann::json::parse(provenance.json());
    EXPECT_EQ(document["job"], "cluster");
    EXPECT_EQ(document["options_given"], nlohmann::json({{"k", "7"}}));
    EXPECT_EQ(document["options"]["checkpoint"], "");
    EXPECT_EQ(document["seed"], 42);
    EXPECT_EQ(document["ranks"], world().size());
    EXPECT_EQ(document["seconds"]["cluster/density"], 2.0);
    EXPECT_EQ(document["results"]["clusters"], 9.0);
    EXPECT_EQ(document["inputs"][0]["hash"].get<std::string>().size(), 16U);
    for (const char* library : {"mpi", "hdf5", "kokkos", "onednn"})
        EXPECT_FALSE(document["libraries"][library].get<std::string>().empty());
}

TEST(Provenance, a_folder_behind_a_link_counts_and_a_ring_of_links_ends) {
    const TemporaryFolder folder;
    const auto images = folder / "images", elsewhere = folder / "elsewhere";
    world().on_root([&] {
        std::filesystem::create_directory(images);
        std::filesystem::create_directory(elsewhere);
        std::filesystem::create_directory_symlink(elsewhere, folder / "images/link");
        std::filesystem::create_directory_symlink(images, folder / "elsewhere/back");
    });
    folder.write("elsewhere/b", "two");
    const auto before = hash_folder(images, world());
    EXPECT_EQ(before, hash_folder(images, world()));
    folder.write("elsewhere/c", "three");
    EXPECT_NE(before, hash_folder(images, world()));
}

TEST(Provenance, a_missing_input_is_refused_on_all_ranks) {
    EXPECT_THROW(hash_file("/no/such/file", world()), InputError);
    EXPECT_THROW(hash_folder("/no/such/folder", world()), InputError);
}

}  // namespace
}  // namespace nanoatlas::store
