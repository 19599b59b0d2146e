#include "store/artefact.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>

#include "base/check.hpp"
#include "store/provenance.hpp"
#include "tests/mpi_test.hpp"

namespace nanoatlas::store {
namespace {

namespace fs = std::filesystem;

class Artefact : public ::testing::Test {
  protected:
    Artefact() {
        folder_ = fs::temp_directory_path() /
                  ("nanoatlas-artefact-" + std::to_string(world().broadcast(getpid())));
        world().on_root([&] { fs::create_directories(folder_); });
    }
    ~Artefact() override {
        world().barrier();
        if (world().is_root()) fs::remove_all(folder_);
        world().barrier();
    }
    static const comm::Communicator& world() { return testing::world(); }
    std::string path(const std::string& name) const { return (folder_ / name).string(); }
    Provenance provenance() const { return {base::OptionTable("test", "a test"), world()}; }

    void write_table(const std::string& name, std::int64_t total) const {
        const auto rows = comm::row_block(total, world());
        std::vector<float> values(static_cast<std::size_t>(rows.count * 3));
        std::iota(values.begin(), values.end(), static_cast<float>(rows.first * 3));
        std::vector<std::string> names;
        for (std::int64_t i = rows.first; i < rows.end(); ++i)
            names.push_back("row " + std::string(static_cast<std::size_t>(i % 7), '*'));
        ArtefactWriter writer(path(name), "table", world());
        writer.write_rows<float>("values", values, rows, {3});
        writer.write_string_rows("group/name", names, rows);
        writer.attribute("classes", std::vector<std::string>{"a", "bc", "d\xc3\xa9"});
        writer.attribute("mean", std::vector<double>{0.5});
        writer.publish(provenance());
    }
    fs::path folder_;
};

TEST_F(Artefact, rows_of_all_ranks_come_back) {
    for (const std::int64_t total : {0, 1, 2, 17, 1000}) {
        write_table("t.h5", total);
        const ArtefactReader reader(path("t.h5"), "table");
        EXPECT_EQ(reader.shape("values"), (Shape{total, 3}));
        const auto values = reader.read<float>("values");
        for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(values[i], static_cast<float>(i));
        const auto names = reader.read_strings("group/name");
        ASSERT_EQ(names.size(), static_cast<std::size_t>(total));
        if (total > 12) {
            EXPECT_EQ(names[12], "row *****");
        }
        EXPECT_EQ(reader.texts("classes"), (std::vector<std::string>{"a", "bc", "d\xc3\xa9"}));
        EXPECT_EQ(reader.numbers("mean"), std::vector<double>{0.5});
        EXPECT_EQ(reader.datasets(), (std::vector<std::string>{"group/name", "values"}));
        EXPECT_NE(reader.provenance().find("\"ranks\""), std::string::npos);
    }
}

TEST_F(Artefact, slabs_fill_a_dataset_in_any_order) {
    const std::int64_t total = 40;
    {
        ArtefactWriter writer(path("s.h5"), "table", world());
        writer.create<std::uint8_t>("images", {total, 2, 2});
        for (std::int64_t first = 10 * world().rank(); first < total; first += 10 * world().size())
            writer.write_slab<std::uint8_t>(
                "images", std::vector<std::uint8_t>(40, static_cast<std::uint8_t>(first)), first,
                10);
        writer.publish(provenance());
    }
    const auto images = ArtefactReader(path("s.h5")).read<std::uint8_t>("images");
    for (std::size_t i = 0; i < images.size(); ++i) ASSERT_EQ(images[i], i / 40 * 10);
}

TEST_F(Artefact, is_not_there_before_it_is_published) {
    write_table("t.h5", 5);
    {
        ArtefactWriter writer(path("t.h5"), "table", world());
        const auto rows = comm::row_block(9, world());
        writer.write_rows<double>("other",
                                  std::vector<double>(static_cast<std::size_t>(rows.count)), rows);
    }
    world().barrier();
    EXPECT_EQ(ArtefactReader(path("t.h5")).rows("values"), 5);
    for (const auto& entry : fs::directory_iterator(folder_))
        EXPECT_EQ(entry.path().filename(), "t.h5") << "left behind";
}

std::string message_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const InputError& error) {
        return error.what();
    }
    return "nothing thrown";
}

TEST_F(Artefact, damaged_incomplete_and_foreign_files_are_refused) {
    const auto reading = [&](const std::string& name, const std::string& format) {
        return message_of([&] { const ArtefactReader reader(path(name), format); });
    };
    EXPECT_NE(reading("none.h5", "corpus").find("run ingest first"), std::string::npos);
    write_table("t.h5", 5);
    EXPECT_NE(reading("t.h5", "corpus").find("of kind 'table', not 'corpus'"), std::string::npos);
    world().on_root([&] {
        std::ofstream(path("text.h5")) << "no HDF5 at all";
        fs::copy_file(path("t.h5"), path("cut.h5"));
        fs::resize_file(path("cut.h5"), fs::file_size(path("t.h5")) / 2);
    });
    EXPECT_NE(reading("text.h5", "").find("no HDF5 file"), std::string::npos);
    EXPECT_NE(reading("cut.h5", "").find("damaged"), std::string::npos);
    {  // killed before the end: all but `complete` is there
        const hdf5::File file(world().is_root() ? H5Fcreate(path("half.h5").c_str(), H5F_ACC_TRUNC,
                                                            H5P_DEFAULT, H5P_DEFAULT)
                                                : H5I_INVALID_HID);
        if (file) {
            const auto type = hdf5::string_type(5);
            const hdf5::Dataspace scalar(H5Screate(H5S_SCALAR));
            const hdf5::Attribute format(
                H5Acreate2(file.id(), "format", type.id(), scalar.id(), H5P_DEFAULT, H5P_DEFAULT));
            H5Awrite(format.id(), type.id(), "table");
        }
    }
    world().barrier();
    EXPECT_NE(reading("half.h5", "").find("did not finish"), std::string::npos);
}

TEST_F(Artefact, a_missing_or_read_only_folder_is_refused_on_all_ranks) {
    EXPECT_NE(message_of([&] {
                  ArtefactWriter(path("no/such/t.h5"), "table", world());
              }).find("there is no folder"),
              std::string::npos);
    EXPECT_NE(message_of([&] {
                  ArtefactWriter(folder_.string(), "table", world());
              }).find("a folder of that name"),
              std::string::npos);
}

TEST_F(Artefact, rows_out_of_range_and_unknown_datasets_are_refused) {
    write_table("t.h5", 5);
    const ArtefactReader reader(path("t.h5"));
    EXPECT_THROW(reader.read_rows<float>("values", 3, 3), InputError);
    EXPECT_NE(message_of([&] { reader.shape("images"); }).find("it has: group/name, values"),
              std::string::npos);
    EXPECT_THROW(reader.number("classes"), InputError);
}

TEST_F(Artefact, hash_of_a_file_does_not_show_the_number_of_ranks) {
    const auto name = path("bytes");
    world().on_root([&] { std::ofstream(name) << std::string(1000, 'x'); });
    const auto together = hash_file(name, world());
    EXPECT_EQ(together, hash_file(name, comm::Communicator::self()));
    world().barrier();
    world().on_root([&] { std::ofstream(name) << std::string(999, 'x') << 'y'; });
    EXPECT_NE(together, hash_file(name, world()));
}

}  // namespace
}  // namespace nanoatlas::store
