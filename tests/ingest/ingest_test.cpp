// From a folder of images, good and bad, to a corpus: the same on any number of ranks.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "base/check.hpp"
#include "base/random.hpp"
#include "image/codecs.hpp"
#include "image/fingerprint.hpp"
#include "ingest/decode.hpp"
#include "ingest/describe.hpp"
#include "ingest/sources.hpp"
#include "store/corpus.hpp"
#include "store/provenance.hpp"
#include "tests/image/crafted.hpp"
#include "tests/metadata/headers.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::testing {
namespace {

namespace fs = std::filesystem;
constexpr int size = 48;

/// A scene of its own for each number: blobs.
Pattern scene(std::uint64_t number) {
    struct Blob {
        double x, y, radius, height;
    };
    base::Random random(number, 99);
    std::vector<Blob> blobs;
    for (int i = 0; i < 40; ++i)
        blobs.push_back({random.uniform(0, 100), random.uniform(0, 90), random.uniform(3, 9),
                         random.uniform(-0.4, 0.4)});
    return [blobs](int x, int y, int) {
        double value = 0.5;
        for (const auto& blob : blobs)
            value += blob.height *
                     std::exp(-((x - blob.x) * (x - blob.x) + (y - blob.y) * (y - blob.y)) /
                              (blob.radius * blob.radius));
        return static_cast<int>(65535 * std::clamp(value, 0.0, 1.0));
    };
}

/// 36 images of two classes in every format, among them two exact duplicates and one near one, and
/// nine files that cannot be read.
void write_collection(const fs::path& root) {
    for (const auto* name : {"alpha", "beta"}) fs::create_directories(root / name);
    const auto put = [&](const std::string& name, const FileBytes& bytes) {
        write_file((root / name).string(), bytes);
    };
    for (std::uint64_t i = 0; i < 8; ++i) {
        const auto number = std::to_string(i);
        put("alpha/same_name_" + number + ".jpg",
            make_jpeg({.width = 100, .height = 80}, scene(i)));
        put("beta/same_name_" + number + ".jpg",
            make_jpeg({.width = 80, .height = 90}, scene(100 + i)));
        put("alpha/" + number + ".png",
            make_png({.width = 96, .height = 72, .bits = i % 2 == 0 ? 8 : 16}, scene(200 + i)));
        put("beta/" + number + ".tif", make_tiff({.width = 100,
                                                  .height = 70,
                                                  .bits = 16,
                                                  .compression = 5,
                                                  .texts = {{34682, fei_header()}}},
                                                 scene(300 + i)));
    }
    put("beta/copy.jpg", make_jpeg({.width = 100, .height = 80}, scene(3)));
    put("beta/exact.png", make_png({.width = 96, .height = 72}, scene(204)));
    put("beta/near.jpg", make_jpeg({.width = 100, .height = 80, .quality = 40}, scene(5)));
    write_file((root / "alpha/same_name_0.jpg.txt").string(), sec_sidecar());
    put("alpha/top.tiff", make_tiff({.width = 100, .height = 80}, scene(400)));

    auto truncated = make_jpeg({.width = 100, .height = 80});
    truncated.resize(truncated.size() / 2);
    put("alpha/bad_truncated.jpg", truncated);
    put("alpha/bad_empty.tif", {});
    write_file((root / "alpha/bad_text.png").string(), "I am a text.");
    put("beta/bad_tiny.png", make_png({.width = 1, .height = 1}));
    put("beta/bad_random.tif", {1, 2, 3, 4, 5, 6, 7, 8});
    auto half = make_tiff({.width = 100, .height = 80, .compression = 8});
    half.resize(half.size() / 2);
    put("beta/bad_half.tif", half);
    fs::create_symlink("nowhere.jpg", root / "beta/bad_link.jpg");
    fs::create_symlink("..", root / "beta/cycle");
    fs::create_directory(root / "beta/bad_folder.png");
}

store::CorpusReader ingest_into(const std::string& output, const std::string& images,
                                const comm::Communicator& comm,
                                const ingest::DescribeOptions& options = {},
                                ingest::Dedup dedup = ingest::Dedup::on) {
    const auto listing = ingest::list_sources({images}, comm);
    const ingest::Shares shares(listing.sources, comm.size());
    auto decoded = ingest::decode(listing.sources, shares, {.size = size}, comm);
    decoded.rejected.insert(decoded.rejected.begin(), listing.rejected.begin(),
                            listing.rejected.end());
    const auto given = ingest::read_given(listing.sources, options, comm);
    const auto table = ingest::describe(listing.sources, given, decoded, dedup);
    const base::OptionTable job("ingest", "test");
    store::write_corpus(output, decoded.rows, table, store::Provenance(job, comm), comm);
    return store::CorpusReader(output);
}

class Ingest : public ::testing::Test {
  protected:
    Ingest() {
        world().on_root([&] {
            fs::create_directories(folder_ / "images");
            write_collection(folder_ / "images");
        });
    }
    store::CorpusReader ingest(const std::string& name, const ingest::DescribeOptions& options = {},
                               ingest::Dedup dedup = ingest::Dedup::on) const {
        return ingest_into(folder_ / name, folder_ / "images", world(), options, dedup);
    }
    /// Row of the image whose path ends so.
    static std::size_t row_of(const store::CorpusReader& corpus, const std::string& end) {
        const auto paths = corpus.paths();
        const auto at = std::find_if(paths.begin(), paths.end(),
                                     [&](const auto& path) { return path.ends_with(end); });
        EXPECT_NE(at, paths.end()) << end;
        return static_cast<std::size_t>(at - paths.begin());
    }
    TemporaryFolder folder_;
};

TEST_F(Ingest, one_rank_and_many_write_the_same) {
    const auto together = ingest("together.h5");
    world().on_root([&] {
        const auto alone =
            ingest_into(folder_ / "alone.h5", folder_ / "images", comm::Communicator::self());
        ASSERT_EQ(together.rows(), alone.rows());
        EXPECT_EQ(together.read_images(0, together.rows()), alone.read_images(0, alone.rows()));
        EXPECT_EQ(together.paths(), alone.paths());
        EXPECT_EQ(together.checksums(), alone.checksums());
        EXPECT_EQ(together.labels(), alone.labels());
        EXPECT_EQ(together.groups(), alone.groups());
        EXPECT_EQ(together.duplicate_of(), alone.duplicate_of());
        EXPECT_EQ(together.parts(), alone.parts());
        EXPECT_EQ(together.scales(), alone.scales());
        EXPECT_EQ(together.metadata(0, together.rows()), alone.metadata(0, alone.rows()));
        EXPECT_EQ(together.reject_paths(), alone.reject_paths());
        EXPECT_EQ(together.reject_causes(), alone.reject_causes());
    });
}

TEST_F(Ingest, rows_are_in_the_order_of_their_paths_and_tell_what_they_hold) {
    const auto corpus = ingest("corpus.h5");
    ASSERT_EQ(corpus.rows(), 36);
    EXPECT_EQ(corpus.height(), size);
    EXPECT_EQ(corpus.classes(), (std::vector<std::string>{"alpha", "beta"}));
    const auto paths = corpus.paths();
    EXPECT_TRUE(std::is_sorted(paths.begin(), paths.end()));
    const auto labels = corpus.labels();
    const auto checksums = corpus.checksums();
    const auto images = corpus.read_images(0, corpus.rows());
    for (std::size_t row = 0; row < paths.size(); ++row) {
        EXPECT_EQ(labels[row], paths[row].find("/alpha/") != std::string::npos ? 0 : 1);
        const std::span pixels(images.data() + row * size * size, size * size);
        EXPECT_EQ(checksums[row], image::checksum(pixels));
        const auto alone = image::prepare(paths[row], {.size = size});  // as classify does it
        EXPECT_TRUE(std::equal(pixels.begin(), pixels.end(), alone.pixels.begin()));
    }
    const auto row = row_of(corpus, "beta/3.tif");
    EXPECT_NEAR(corpus.pixel_sizes()[row], 1.12413e-8 * 1536 / 100, 1e-12);
    EXPECT_NE(corpus.metadata(static_cast<std::int64_t>(row), 1)[0].find("Versa 3D"),
              std::string::npos);
    EXPECT_NEAR(corpus.pixel_sizes()[row_of(corpus, "same_name_0.jpg")], 0.7e-6 * 1280 / 100,
                1e-12);
    EXPECT_TRUE(std::isnan(corpus.pixel_sizes()[row_of(corpus, "top.tiff")]));
}

TEST_F(Ingest, duplicates_share_a_group_and_a_part) {
    const auto corpus = ingest("corpus.h5");
    const auto duplicate_of = corpus.duplicate_of();
    const auto groups = corpus.groups();
    const auto parts = corpus.parts();
    for (const auto& [copy, original] : {std::pair{"beta/copy.jpg", "alpha/same_name_3.jpg"},
                                         {"beta/exact.png", "alpha/4.png"},
                                         {"beta/near.jpg", "alpha/same_name_5.jpg"}}) {
        const auto from = row_of(corpus, copy), to = row_of(corpus, original);
        EXPECT_EQ(duplicate_of[from], static_cast<std::int64_t>(to)) << copy;
        EXPECT_EQ(groups[from], groups[to]) << copy;
        EXPECT_EQ(parts[from], parts[to]) << copy;
    }
    EXPECT_EQ(
        std::count_if(duplicate_of.begin(), duplicate_of.end(), [](auto row) { return row >= 0; }),
        3);
    const auto apart = ingest("apart.h5", {}, ingest::Dedup::off).duplicate_of();
    EXPECT_EQ(std::count(apart.begin(), apart.end(), -1), 36);
}

TEST_F(Ingest, bad_files_are_listed_with_their_causes) {
    const auto corpus = ingest("corpus.h5");
    const auto paths = corpus.reject_paths(), causes = corpus.reject_causes();
    const auto cause_of = [&](const std::string& name) {
        for (std::size_t i = 0; i < paths.size(); ++i)
            if (paths[i].ends_with(name)) return causes[i];
        return std::string("(not rejected)");
    };
    const std::vector<std::pair<const char*, const char*>> expected = {
        {"bad_truncated.jpg", "truncated"}, {"bad_empty.tif", "empty"},
        {"bad_text.png", "text"},           {"bad_tiny.png", "1 x 1"},
        {"bad_random.tif", "is no TIFF"},   {"bad_half.tif", "truncated or damaged"},
        {"bad_link.jpg", "link to nothing"}};
    EXPECT_EQ(paths.size(), expected.size());
    for (const auto& [name, words] : expected)
        EXPECT_NE(cause_of(name).find(words), std::string::npos) << name << ": " << cause_of(name);
}

TEST_F(Ingest, tables_give_labels_groups_and_parts) {
    folder_.write("labels.csv", "path,label\nalpha/0.png,10\nalpha/1.png,9\nbeta/0.tif,9\n");
    folder_.write("groups.csv", "alpha/0.png,monday\nalpha/1.png,monday\n");
    folder_.write("parts.csv", "alpha/0.png,test\nalpha/1.png,test\nbeta/0.tif,validation\n");
    const auto corpus = ingest("corpus.h5", {.labels = "csv:" + (folder_ / "labels.csv"),
                                             .groups = "csv:" + (folder_ / "groups.csv"),
                                             .parts = "csv:" + (folder_ / "parts.csv")});
    EXPECT_EQ(corpus.classes(), (std::vector<std::string>{"9", "10"}));
    const auto first = row_of(corpus, "alpha/0.png"), second = row_of(corpus, "alpha/1.png"),
               third = row_of(corpus, "beta/0.tif");
    EXPECT_EQ(corpus.labels()[first], 1);
    EXPECT_EQ(corpus.labels()[second], 0);
    EXPECT_EQ(corpus.labels()[row_of(corpus, "alpha/2.png")], -1);
    EXPECT_EQ(corpus.groups()[first], corpus.groups()[second]);
    EXPECT_EQ(corpus.parts()[first], store::Part::test);
    EXPECT_EQ(corpus.parts()[third], store::Part::validation);
    EXPECT_THROW(ingest("x.h5", {.labels = "csv:" + (folder_ / "absent.csv")}), InputError);
    EXPECT_TRUE(ingest("unlabelled.h5", {.labels = "none"}).classes().empty());
}

TEST(FolderLabels, are_the_path_of_the_folders_or_its_beginning) {
    std::vector<image::Source> sources;
    for (const auto* label : {"Nanowires/Forest/crust", "Nanowires", "Tips", ""})
        sources.push_back({.path = "x", .folder_label = label});
    const auto labels = [&](const std::string& option) {
        const ingest::DescribeOptions options{.labels = option};
        ingest::check(options);
        std::vector<std::string> texts;
        for (const auto& label : ingest::read_given(sources, options, world()).labels)
            texts.push_back(label.value_or("-"));
        return texts;
    };
    using Texts = std::vector<std::string>;
    EXPECT_EQ(labels("folders"), (Texts{"Nanowires/Forest/crust", "Nanowires", "Tips", "-"}));
    EXPECT_EQ(labels("folders:2"), (Texts{"Nanowires/Forest", "Nanowires", "Tips", "-"}));
    EXPECT_EQ(labels("folders:1"), (Texts{"Nanowires", "Nanowires", "Tips", "-"}));
    for (const auto* wrong : {"folders:0", "folders:", "folders:x", "foldersx", "folder"})
        EXPECT_THROW(labels(wrong), InputError) << wrong;
}

TEST_F(Ingest, more_ranks_than_images_and_no_image) {
    world().on_root([&] {
        fs::create_directories(folder_ / "one");
        fs::create_directories(folder_ / "none");
        write_file(folder_ / "one/only.png", make_png({.width = 96, .height = 72}));
        write_file(folder_ / "none/notes.txt", "no image");
    });
    const auto corpus = ingest_into(folder_ / "one.h5", folder_ / "one", world());
    EXPECT_EQ(corpus.rows(), 1);
    EXPECT_EQ(corpus.labels(), std::vector<std::int32_t>{-1});
    EXPECT_EQ(corpus.parts(), std::vector<store::Part>{store::Part::train});
    EXPECT_TRUE(corpus.reject_paths().empty());
    EXPECT_THROW(ingest::list_sources({folder_ / "none"}, world()), InputError);
    EXPECT_THROW(ingest::list_sources({folder_ / "absent"}, world()), InputError);
}

TEST_F(Ingest, idx_pair) {
    world().on_root([&] {
        fs::create_directories(folder_ / "idx");
        write_file(folder_ / "idx/train-images-idx3-ubyte.gz", gzip(make_idx_images(40, 28, 28)));
        write_file(folder_ / "idx/train-labels-idx1-ubyte.gz", gzip(make_idx_labels(40)));
    });
    const auto corpus = ingest_into(folder_ / "idx.h5", folder_ / "idx", world());
    ASSERT_EQ(corpus.rows(), 40);
    EXPECT_EQ(corpus.classes().size(), 10U);
    EXPECT_EQ(corpus.labels()[13], 3);
    EXPECT_EQ(corpus.read_images(27, 1)[0], 27);
    EXPECT_FLOAT_EQ(corpus.scales()[0][0], 28.0F / size);
}

TEST_F(Ingest, reader_refuses_what_is_no_corpus) {
    folder_.write("noise.h5", "this is no HDF5 file");
    EXPECT_THROW(store::CorpusReader(folder_ / "noise.h5"), InputError);
    EXPECT_THROW(store::CorpusReader(folder_ / "absent.h5"), InputError);
}

}  // namespace
}  // namespace nanoatlas::testing
