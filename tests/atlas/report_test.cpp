#include "atlas/report.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "atlas/inputs.hpp"
#include "base/check.hpp"
#include "base/log.hpp"
#include "store/artefact.hpp"
#include "tests/atlas/sample.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/mpi_test.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::atlas {
namespace {

namespace fs = std::filesystem;
using testing::Sample;
using testing::TemporaryFolder;
using testing::world;
using Files = std::map<std::string, std::string>;

/// All files of an atlas, but for the marker with its timings.
Files read_files(const fs::path& folder) {
    Files files;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file() || entry.path().filename() == "atlas.json") continue;
        std::ostringstream text;
        text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
        files[fs::relative(entry.path(), folder).string()] = text.str();
    }
    return files;
}

ReportOptions options_for(const TemporaryFolder& folder, const Sample& sample) {
    return {.files = {.corpus = folder / "corpus.h5",
                      .embedding = folder / "embedding.h5",
                      .clusters = folder / "clusters.h5",
                      .map = sample.has_map ? folder / "map.h5" : "",
                      .predictions = sample.has_predictions ? folder / "predictions.h5" : "",
                      .metrics = "",
                      .scores = "",
                      .dimension = ""},
            .output = folder / "atlas"};
}

ReportSummary draw(const ReportOptions& options, const comm::Communicator& comm) {
    store::Provenance provenance(base::OptionTable("report", "a test"), comm);
    return write_atlas(options, provenance, comm);
}

/// Each href and src of the pages leads to a file of the atlas or to a place on a page.
void expect_links_lead_somewhere(const Files& files) {
    static const std::regex link(R"re((?:href|src)="([^"#]*)(#[^"]*)?")re");
    for (const auto& [path, text] : files) {
        if (!path.ends_with(".html")) continue;
        for (std::sregex_iterator at(text.begin(), text.end(), link), end; at != end; ++at) {
            const std::string target = (*at)[1];
            if (target.empty()) continue;
            const auto full = (fs::path(path).parent_path() / target).lexically_normal().string();
            EXPECT_TRUE(files.contains(full)) << path << " links to " << target;
        }
    }
}

void expect_nothing_hostile(const Files& files) {
    for (const auto& [path, text] : files) {
        if (!path.ends_with(".html") && !path.starts_with("data/")) continue;
        if (path.ends_with(".jpg")) continue;
        EXPECT_EQ(text.find("<script>document"), std::string::npos) << path;
        EXPECT_EQ(text.find("<img src=x"), std::string::npos) << path;
        EXPECT_EQ(text.find("onload=\"x"), std::string::npos) << path;
    }
}

TEST(Report, ranks_do_not_show_in_the_files) {
    const TemporaryFolder folder;
    const Sample sample{.has_scan = true, .has_variances = false};
    testing::write_sample(folder / "", sample, world());
    const auto options = options_for(folder, sample);
    const auto summary = draw(options, world());
    EXPECT_EQ(summary.images, sample.images);
    EXPECT_EQ(summary.clusters, sample.clusters);
    world().on_root([&] {
        auto alone = options;
        alone.output = folder / "alone";
        draw(alone, comm::Communicator::self());
        const auto files = read_files(options.output), expected = read_files(alone.output);
        ASSERT_EQ(files.size(), expected.size());
        for (const auto& [path, bytes] : expected)
            EXPECT_TRUE(files.at(path) == bytes) << path << " differs";
    });
}

TEST(Report, works_with_whatever_is_there) {
    const std::vector<Sample> samples = {
        {},
        {.has_labels = false, .has_topography = false, .has_predictions = false, .rejects = 0},
        {.images = 1, .clusters = 1, .rejects = 0},
        {.images = 2, .clusters = 1, .has_topography = false, .has_predictions = false},
        {.clusters = 25, .has_noise = true},
        {.has_topography = false, .has_variances = false, .has_noise = true, .image_side = 9},
        {.images = 2, .clusters = 1, .has_variances = false},
        {.clusters = 25, .has_topography = false, .has_condensed_tree = true, .has_noise = true},
        {.images = 2, .clusters = 1, .has_topography = false, .has_condensed_tree = true}};
    for (const auto& sample : samples) {
        const TemporaryFolder folder;
        testing::write_sample(folder / "", sample, world());
        const auto options = options_for(folder, sample);
        draw(options, world());
        world().on_root([&] {
            const auto files = read_files(options.output);
            for (const char* page : {"index.html", "overview.html", "rejects.html"})
                EXPECT_TRUE(files.contains(page)) << page;
            EXPECT_EQ(files.contains("evaluation.html"),
                      sample.has_labels || sample.has_predictions);
            for (int k = 0; k < sample.clusters; ++k)
                EXPECT_TRUE(files.contains("clusters/" + std::to_string(k) + ".html"));
            expect_links_lead_somewhere(files);
            expect_nothing_hostile(files);
        });
    }
}

TEST(Report, the_map_shows_principal_components) {
    for (const bool has_variances : {true, false}) {
        const TemporaryFolder folder;
        const Sample sample{.images = 40, .has_variances = has_variances};
        testing::write_sample(folder / "", sample, world());
        const auto options = options_for(folder, sample);
        draw(options, world());
        world().on_root([&] {
            const auto data = read_files(options.output).at("data/map.js");
            EXPECT_NE(data.find("PC 1 ("), std::string::npos);
            EXPECT_NE(data.find("Magnification"), std::string::npos);
            EXPECT_EQ(data.find("PC 1 (60.0 %)") != std::string::npos, has_variances);
        });
    }
}

TEST(Report, says_what_clusters_are_about) {
    const TemporaryFolder folder;
    const Sample sample{.images = 120};
    testing::write_sample(folder / "", sample, world());
    const auto options = options_for(folder, sample);
    draw(options, world());
    world().on_root([&] {
        const auto files = read_files(options.output);
        const auto clusters = nlohmann::json::parse(files.at("clusters.json")).at("clusters");
        ASSERT_EQ(clusters.size(), 3U);
        EXPECT_EQ(clusters[1].at("images"), 40);
        EXPECT_EQ(clusters[1].at("centre").at("row"), 1);
        const auto& session = clusters[1].at("values").at(0);
        EXPECT_EQ(session.at("field"), "session");
        EXPECT_EQ(session.at("lift"), 3);
        EXPECT_LT(session.at("log10_q"), -20);
        EXPECT_EQ(clusters[1].at("only_session"), session.at("value"));
        // Every fourth row has no record, so not all of the cluster are known to have one bar.
        EXPECT_TRUE(clusters[1].at("only_info_bar").is_null());
        EXPECT_NE(files.at("clusters/1.html").find("<b>One session.</b>"), std::string::npos);
        EXPECT_NE(files.at("clusters/1.html").find("20 rows"), std::string::npos);
        EXPECT_NE(files.at("overview.html").find("one session"), std::string::npos);
    });
}

/// Each is there, complete, and linked from its page.
void expect_pictures(const Files& files, const std::vector<std::string>& names) {
    for (const auto& name : names) {
        const auto file = files.find("pictures/" + name + ".svg");
        ASSERT_NE(file, files.end()) << name;
        const auto& text = file->second;
        EXPECT_TRUE(text.starts_with("<svg xmlns=")) << name;
        for (const char* broken : {"var(", "nan", "inf", "<script"})
            EXPECT_EQ(text.find(broken), std::string::npos) << name << " has " << broken;
        EXPECT_NE(files.at(name == "confusion" ? "evaluation.html" : "overview.html")
                      .find("pictures/" + name + ".svg"),
                  std::string::npos)
            << name;
    }
}

TEST(Report, charts_are_files_too) {
    const TemporaryFolder folder;
    const Sample sample{.images = 80, .has_scan = true};
    testing::write_sample(folder / "", sample, world());
    auto options = options_for(folder, sample);
    options.files.dimension = folder.write("dimension.json", R"({
        "two_nn": {"fit": {"dimension": 5.5, "error": 0.1, "scale": 2, "rows": 80, "rank": 2},
                   "likelihood": {"dimension": 5, "error": 0.1, "scale": 2, "rows": 80, "rank": 2}},
        "gride": [{"dimension": 5.2, "error": 0.2, "scale": 2, "rows": 80, "rank": 2},
                  {"dimension": 4.1, "error": null, "scale": 3, "rows": 80, "rank": 4}],
        "decimation": []})");
    draw(options, world());
    world().on_root([&] {
        const auto files = read_files(options.output);
        expect_pictures(files, {"spectrum", "dendrogram", "decision", "silhouette", "splits",
                                "clusters-by-Z", "stability", "confusion", "dimension"});
        EXPECT_NE(files.at("clusters/2.html").find("13 images"), std::string::npos);
        EXPECT_NE(files.at("overview.html").find("5.2 ± 0.4"), std::string::npos);
    });
}

TEST(Report, draws_what_hdbscan_found) {
    const TemporaryFolder folder;
    const Sample sample{
        .images = 80, .has_topography = false, .has_condensed_tree = true, .has_noise = true};
    testing::write_sample(folder / "", sample, world());
    const auto options = options_for(folder, sample);
    draw(options, world());
    world().on_root([&] {
        const auto files = read_files(options.output);
        expect_pictures(files,
                        {"condensed-tree", "clusters-by-size", "quality-by-size", "stability"});
        const auto& tree = files.at("pictures/condensed-tree.svg");
        for (int k = 0; k < sample.clusters; ++k)
            EXPECT_NE(tree.find(fmt::format("../clusters/{}.html", k)), std::string::npos);
        EXPECT_NE(files.at("pictures/stability.svg").find("least size of a cluster"),
                  std::string::npos);
    });
}

TEST(Report, a_condensed_tree_that_leads_nowhere_is_refused) {
    const TemporaryFolder folder;
    const Sample sample{.images = 4};
    testing::write_sample(folder / "", sample, world());
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
        EXPECT_THROW(draw(options_for(folder, sample), world()), InputError);
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
    testing::write_sample(folder / "", sample, world());
    auto options = options_for(folder, sample);
    for (const char* text : {"{}", R"({"two_nn": 3})", "[1]"}) {
        options.files.dimension = folder.write("dimension.json", text);
        EXPECT_THROW(draw(options, world()), InputError) << text;
    }
}

TEST(Report, a_tree_of_peaks_that_leads_nowhere_is_refused) {
    const TemporaryFolder folder;
    const Sample sample{.images = 12};
    testing::write_sample(folder / "", sample, world());
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
    EXPECT_THROW(draw(options_for(folder, sample), world()), InputError);
}

TEST(Report, lists_rejects_and_duplicates_in_full) {
    const TemporaryFolder folder;
    const Sample sample{.rejects = 40};
    testing::write_sample(folder / "", sample, world());
    const auto options = options_for(folder, sample);
    draw(options, world());
    world().on_root([&] {
        const auto files = read_files(options.output);
        const auto count = [](const std::string& text, const std::string& what) {
            int found = 0;
            for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
                ++found;
            return found;
        };
        EXPECT_EQ(count(files.at("rejects.html"), "no image &lt;b&gt;"), 40);
        EXPECT_EQ(count(files.at("duplicates.html"), ">copy<"), 3);
        EXPECT_EQ(count(files.at("data/paths.js"), ".tif\""), sample.images);
    });
}

TEST(Report, replaces_an_old_atlas_and_nothing_else) {
    const TemporaryFolder folder;
    const Sample sample{.images = 12};
    testing::write_sample(folder / "", sample, world());
    auto options = options_for(folder, sample);
    draw(options, world());
    world().on_root([&] { std::ofstream(options.output + "/data/left-over.txt") << "old"; });
    draw(options, world());
    world().on_root([&] {
        EXPECT_FALSE(fs::exists(options.output + "/data/left-over.txt"));
        EXPECT_TRUE(fs::exists(options.output + "/index.html"));
    });

    options.output = folder / "photographs";
    world().on_root([&] {
        fs::create_directory(options.output);
        std::ofstream(options.output + "/precious.txt") << "keep";
    });
    EXPECT_THROW(draw(options, world()), InputError);
    world().on_root([&] {
        EXPECT_TRUE(fs::exists(options.output + "/precious.txt"));
        for (const auto& entry : fs::directory_iterator(folder / ""))
            EXPECT_EQ(entry.path().string().find(".partial"), std::string::npos) << entry.path();
    });
    options.output = folder / "no/such/folder";
    EXPECT_THROW(draw(options, world()), InputError);
}

TEST(Report, a_map_places_the_images) {
    const TemporaryFolder folder;
    const Sample sample{.images = 40, .has_map = true};
    testing::write_sample(folder / "", sample, world());
    auto options = options_for(folder, sample);
    draw(options, world());
    const auto with = read_files(options.output);
    options.files.map = "";
    draw(options, world());
    const auto without = read_files(options.output);
    const auto &data = with.at("data/map.js"), &plain = without.at("data/map.js");
    EXPECT_NE(data.find("placement: {title: \"t-SNE map\""), std::string::npos);
    EXPECT_NE(data.find("key: \"kept\""), std::string::npos);
    EXPECT_NE(plain.find("placement: null"), std::string::npos);
    EXPECT_NE(with.at("data/map-0.jpg"), without.at("data/map-0.jpg"))
        << "thumbnails do not lie as the map's points do";
    EXPECT_NE(with.at("provenance.html").find("map.h5"), std::string::npos);
    world().on_root([&] { fs::create_directory(folder / "other"); });
    testing::write_sample(folder / "other", {.images = 41, .has_map = true}, world());
    for (const auto& wrong : {folder / "other/map.h5", folder / "embedding.h5"}) {
        options.files.map = wrong;
        EXPECT_THROW(draw(options, world()), InputError);
    }
}

/// What is said while an atlas is drawn; empty on ranks that do not speak.
std::string messages_of(const TemporaryFolder& folder, const ReportOptions& options) {
    const auto log = folder / fmt::format("log{}.jsonl", world().rank());
    base::set_log_outputs(true, log);
    draw(options, world());
    base::set_log_outputs(false, "");
    std::ostringstream text;
    text << std::ifstream(log).rdbuf();
    fs::remove(log);
    return text.str();
}

TEST(Report, a_map_of_another_matrix_is_told) {
    const TemporaryFolder folder;
    // As many images, so that the map's number of rows tells nothing.
    const Sample sample{.images = 40, .clusters = 4, .has_map = true},
        other{.images = 40, .clusters = 5, .has_map = true};
    world().on_root([&] { fs::create_directory(folder / "other"); });
    testing::write_sample(folder / "", sample, world());
    testing::write_sample(folder / "other", other, world());
    auto options = options_for(folder, sample);
    const auto own = messages_of(folder, options);
    options.files.map = folder / "other/map.h5";
    const auto foreign = messages_of(folder, options);
    EXPECT_EQ(own.find("another matrix"), std::string::npos) << own;
    if (world().is_root()) {
        EXPECT_NE(foreign.find("warning"), std::string::npos) << foreign;
        EXPECT_NE(foreign.find("other/map.h5' was made of another matrix than the embedding"),
                  std::string::npos)
            << foreign;
    }
}

TEST(Report, an_old_atlas_stays_if_the_inputs_do_not_fit) {
    const TemporaryFolder folder;
    const Sample sample{.images = 12};
    testing::write_sample(folder / "", sample, world());
    auto options = options_for(folder, sample);
    draw(options, world());
    world().on_root([&] { fs::create_directory(folder / "other"); });
    testing::write_sample(folder / "other", {.images = 13}, world());
    options.files.embedding = folder / "other/embedding.h5";
    EXPECT_THROW(draw(options, world()), InputError);
    options.files.embedding = folder / "embedding.h5";
    options.files.clusters = folder / "other/clusters.h5";
    EXPECT_THROW(draw(options, world()), InputError);
    options.files.clusters = folder / "clusters.h5";
    options.files.metrics = folder.write("metrics.json", "[1, 2");
    EXPECT_THROW(draw(options, world()), InputError);
    world().on_root([&] { EXPECT_TRUE(fs::exists(options.output + "/index.html")); });
}

/// While it lives, no file of this process may grow beyond so many bytes: writing fails as it does
/// on a full disk.
class SmallFiles {
  public:
    explicit SmallFiles(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~SmallFiles() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }
    SmallFiles(const SmallFiles&) = delete;
    SmallFiles& operator=(const SmallFiles&) = delete;

  private:
    rlimit before_{};
    void (*handler_)(int);
};

TEST(Report, an_old_atlas_stays_if_the_disk_is_full) {
    const TemporaryFolder folder;
    const Sample sample{.images = 30, .image_side = 8};
    testing::write_sample(folder / "", sample, world());
    const auto options = options_for(folder, sample);
    draw(options, world());
    for (const rlim_t bytes : {100, 12000}) {  // in a sheet; in a page
        const SmallFiles limit(bytes);
        EXPECT_THROW(draw(options, world()), EnvironmentError);
    }
    world().on_root([&] {
        EXPECT_TRUE(fs::exists(options.output + "/index.html"));
        for (const auto& entry : fs::directory_iterator(folder / ""))
            EXPECT_EQ(entry.path().string().find(".partial"), std::string::npos) << entry.path();
    });
}

TEST(Report, evaluation_shows_the_confusion_of_metrics) {
    const TemporaryFolder folder;
    const Sample sample{.images = 20};
    testing::write_sample(folder / "", sample, world());
    auto options = options_for(folder, sample);
    options.files.metrics =
        folder.write("metrics.json", R"({"accuracy": 0.75, "classes": ["<a>", "b"],
                            "per_class": {"<a>": {"precision": 0.5, "recall": 1, "f1": 0.667,
                                                  "support": 4321}},
                            "confusion": [[4321, 0], [17, 3]],
                            "levels": [{"depth": 1, "rows": 77, "accuracy": 0.5, "classes": ["<c>"],
                                        "confusion": [[77]]}, {}],
                            "none_of_these": {"threshold": 0.8, "target_precision": 0.95},
                            "coverage": [{"threshold": 0.9, "coverage": 0.25, "precision": 1},
                                         {"threshold": 0.8, "coverage": 0.75, "precision": 0.96},
                                         {"threshold": 0.5, "coverage": 1, "precision": 0.9}]})");
    options.files.scores = folder.write("scores.json", R"({"nmi": 0.625})");
    draw(options, world());
    world().on_root([&] {
        const auto page = read_files(options.output).at("evaluation.html");
        for (const char* text :
             {"4,321", "&lt;a&gt;", "0.75", "0.625", "Calibration", "85.0 %", "&lt;c&gt;",
              "threshold 0.8000: 75.0 % of the images get an answer, 96.0 % of these are right"})
            EXPECT_NE(page.find(text), std::string::npos) << text;
    });
}

TEST(Report, answers_that_are_no_classes_are_shown_as_such) {
    const TemporaryFolder folder;
    const Sample sample{.images = 20, .has_rejections = true};
    testing::write_sample(folder / "", sample, world());
    draw(options_for(folder, sample), world());
    world().on_root([&] {
        const auto files = read_files(folder / "atlas");
        EXPECT_NE(files.at("data/map.js").find("none of these"), std::string::npos);
        EXPECT_NE(files.at("evaluation.html").find("Calibration"), std::string::npos);
    });
    Inputs inputs = read_inputs(options_for(folder, sample).files);
    ASSERT_TRUE(inputs.predictions);
    EXPECT_EQ(inputs.predictions->classes.size(), testing::hostile_names.size() + 1);
    EXPECT_FALSE(inputs.predictions->has_answer(0));
    EXPECT_TRUE(inputs.predictions->has_answer(1));
    EXPECT_GE(inputs.predictions->most_probable[0], 0);
    inputs.classes = {"A", "A/x", "A/xy"};
    inputs.predictions->classes = {"A/x", "A/?", "A"};
    inputs.label = {0, 1, 2};
    EXPECT_TRUE(inputs.is_right(0, 0));
    EXPECT_TRUE(inputs.is_right(1, 1));
    EXPECT_TRUE(inputs.is_right(2, 2));
    EXPECT_FALSE(inputs.is_right(2, 0));
}

}  // namespace
}  // namespace nanoatlas::atlas
