// Inputs that contradict themselves are refused.
#include <gtest/gtest.h>

#include "base/check.hpp"
#include "store/artefact.hpp"
#include "tests/atlas/drawn_atlas.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::atlas {
namespace {

using namespace testing;

TEST(Report, a_condensed_tree_that_leads_nowhere_is_refused) {
    const TemporaryFolder folder;
    const Sample sample{.images = 4};
    const auto options = write_for_atlas(folder / "", sample, world());
    const auto expect_refused = [&](const std::vector<std::int64_t>& parent,
                                    const std::vector<std::int64_t>& child, std::int64_t selected) {
        {
            store::ArtefactWriter writer(folder / "clusters.h5", "clusters", world());
            writer.write_whole<std::int32_t>("label", std::vector<std::int32_t>(4), {4});
            const auto lines = std::ssize(parent);
            writer.write_whole<std::int64_t>("condensed_tree/parent", parent, {lines});
            writer.write_whole<std::int64_t>("condensed_tree/child", child, {lines});
            writer.write_whole<double>("condensed_tree/lambda",
                                       std::vector<double>(parent.size(), 1), {lines});
            writer.write_whole<std::int64_t>("condensed_tree/size",
                                             std::vector<std::int64_t>(parent.size(), 1), {lines});
            writer.write_whole<std::int64_t>("selected", std::vector<std::int64_t>{selected}, {1});
            writer.publish(store::Provenance(base::OptionTable("test", "a sample"), world()));
        }
        EXPECT_THROW(draw(options, world()), InputError);
    };
    expect_refused({4, 4, 4}, {0, 1, 2}, 4);                    // a row is missing
    expect_refused({4, 4, 4, 4}, {0, 1, 2, 3}, 5);              // there is no such cluster
    expect_refused({4, 4, 4, 7}, {0, 1, 2, 3}, 4);              // nor such a parent
    expect_refused({4, 4, 4, 4, 4, 4}, {0, 1, 2, 3, 5, 5}, 4);  // one parts twice, one never
    expect_refused({4, 4, 4, 4, 4, 4}, {0, 1, 2, 3, 5, 6}, 4);  // nothing is in some
    expect_refused({4, 4, 4, 4, 6, 5}, {0, 1, 2, 3, 5, 6}, 4);  // a child before its parent
}

TEST(Report, a_file_that_holds_no_dimension_is_refused) {
    const TemporaryFolder folder;
    const Sample sample{.images = 12};
    auto options = write_for_atlas(folder / "", sample, world());
    for (const char* text : {"{}", R"({"two_nn": 3})", "[1]"}) {
        options.files.dimension = folder.write("dimension.json", text);
        EXPECT_THROW(draw(options, world()), InputError) << text;
    }
}

TEST(Report, a_tree_of_peaks_that_leads_nowhere_is_refused) {
    const TemporaryFolder folder;
    const Sample sample{.images = 12};
    const auto options = write_for_atlas(folder / "", sample, world());
    {
        store::ArtefactWriter writer(folder / "clusters.h5", "clusters", world());
        writer.write_whole<std::int32_t>("label", std::vector<std::int32_t>(12), {12});
        writer.write_whole<std::int32_t>("merge_tree/label", std::vector<std::int32_t>(12), {12});
        writer.write_whole<std::int64_t>("merge_tree/centres", std::vector<std::int64_t>{0, 5},
                                         {2});
        writer.write_whole<std::int32_t>("merge_tree/nodes", std::vector<std::int32_t>{0, 2},
                                         {1, 2});
        writer.write_whole<double>("merge_tree/Z", std::vector<double>{1}, {1});
        writer.publish(store::Provenance(base::OptionTable("test", "a sample"), world()));
    }
    EXPECT_THROW(draw(options, world()), InputError);
}

}  // namespace
}  // namespace nanoatlas::atlas
