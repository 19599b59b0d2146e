#include "store/matrix.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>

#include "base/check.hpp"
#include "base/random.hpp"
#include "store/artefact.hpp"
#include "store/npy.hpp"
#include "store/plain_file.hpp"
#include "store/provenance.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::store {
namespace {

const comm::Communicator& world() {
    return testing::world();
}

/// Value of row i, column j in the tests' matrices; exact in f32.
double value_at(std::int64_t i, std::int64_t j) {
    return static_cast<double>(i) + 0.125 * static_cast<double>(j);
}

class MatrixFiles : public ::testing::Test {
  protected:
    static Matrix<double> made(std::int64_t rows, std::int64_t columns) {
        Matrix<double> matrix{
            .rows = comm::row_block(rows, world()), .columns = columns, .values = {}};
        for (std::int64_t i = matrix.rows.first; i < matrix.rows.end(); ++i)
            for (std::int64_t j = 0; j < columns; ++j) matrix.values.push_back(value_at(i, j));
        return matrix;
    }
    template <class T>
    static void expect_made(const Matrix<T>& matrix, std::int64_t rows, std::int64_t columns) {
        const auto block = comm::row_block(rows, world());
        ASSERT_EQ(matrix.rows.total, rows);
        ASSERT_EQ(matrix.rows.first, block.first);
        ASSERT_EQ(matrix.rows.count, block.count);
        ASSERT_EQ(matrix.columns, columns);
        ASSERT_EQ(matrix.values.size(), static_cast<std::size_t>(block.count * columns));
        for (std::int64_t i = 0; i < block.count; ++i)
            for (std::int64_t j = 0; j < columns; ++j)
                ASSERT_EQ(matrix.row(i)[static_cast<std::size_t>(j)],
                          static_cast<T>(value_at(block.first + i, j)));
    }
    std::string text(const std::string& name, const std::string& content) const {
        return folder_.write(name, content);
    }
    static std::string refusal(const std::string& source) {
        try {
            read_matrix<float>(source, world());
        } catch (const InputError& error) {
            const auto texts = world().all_gather(std::vector<std::string>{error.what()});
            for (const auto& other : texts) EXPECT_EQ(other, error.what());
            return error.what();
        }
        return "";
    }
    static std::string label_refusal(const std::string& source) {
        try {
            read_labels(source, world());
        } catch (const InputError& error) {
            return error.what();
        }
        return "";
    }
    static void expect_part(const std::string& whole, const std::string& part) {
        EXPECT_NE(whole.find(part), std::string::npos)
            << "'" << whole << "' lacks '" << part << "'";
    }
    testing::TemporaryFolder folder_;
};

TEST_F(MatrixFiles, plain_tables_read_back_to_the_bit) {
    for (const std::string name : {"m.npy", "m.csv", "m.txt"})
        for (const auto& [rows, columns] : {std::pair{1, 1}, {2, 3}, {3, 1}, {101, 7}}) {
            write_plain_table(folder_ / name, made(rows, columns), world());
            expect_made(read_matrix<double>(folder_ / name, world()), rows, columns);
            expect_made(read_matrix<float>(folder_ / name, world()), rows, columns);
        }
    auto odd = made(3, 2);
    for (auto& value : odd.values) value = std::sqrt(value + 0.1) * 1e-300;
    write_plain_table(folder_ / "odd.csv", odd, world());
    EXPECT_EQ(read_matrix<double>(folder_ / "odd.csv", world()).values, odd.values);
}

TEST_F(MatrixFiles, hdf5_by_name_and_by_nature) {
    const auto matrix = made(11, 3);
    const base::OptionTable options("test", "a test");
    ArtefactWriter writer(folder_ / "m.h5", "features", world());
    writer.write_rows<double>("features", matrix.values, matrix.rows, {3});
    writer.write_rows<double>("other/table", matrix.values, matrix.rows, {3});
    std::vector<std::int32_t> labels;
    for (int i = 0; i < 11; ++i) labels.push_back(i % 3 - 1);
    writer.write_whole<std::int32_t>("label", labels, {11});
    writer.publish(Provenance(options, world()));
    expect_made(read_matrix<float>(folder_ / "m.h5", world()), 11, 3);
    expect_made(read_matrix<double>(folder_ / "m.h5:/other/table", world()), 11, 3);
    EXPECT_EQ(read_labels(folder_ / "m.h5", world()),
              (std::vector<std::int64_t>(labels.begin(), labels.end())));
    EXPECT_EQ(read_labels(folder_ / "m.h5:/label", world()).size(), 11u);
    expect_part(refusal(folder_ / "m.h5:/absent"), "no dataset");
    expect_part(refusal(folder_ / "m.h5:/label"), "1 dimensions");
    expect_part(refusal(folder_ / "none.h5"), "no such file");
    ArtefactWriter corpus(folder_ / "corpus.h5", "corpus", world());
    corpus.write_whole<float>("scale", std::vector<float>{1, 1, 2, 2}, {2, 2});
    corpus.publish(Provenance(options, world()));
    expect_part(refusal(folder_ / "corpus.h5"), "holds pictures");
    EXPECT_EQ(read_matrix<float>(folder_ / "corpus.h5:/scale", world()).columns, 2);
}

TEST_F(MatrixFiles, hdf5_of_other_programs) {
    world().on_root([&] {
        const hdf5::File file(
            H5Fcreate((folder_ / "own.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
        const hsize_t shape[] = {5, 2};
        const hdf5::Dataspace space(H5Screate_simple(2, shape, nullptr));
        const hdf5::Dataset table(H5Dcreate2(file.id(), "mine", H5T_NATIVE_DOUBLE, space.id(),
                                             H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
        std::vector<double> values;
        for (int i = 0; i < 5; ++i)
            for (int j = 0; j < 2; ++j) values.push_back(value_at(i, j));
        H5Dwrite(table.id(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    });
    expect_made(read_matrix<float>(folder_ / "own.h5", world()), 5, 2);
    expect_made(read_matrix<float>(folder_ / "own.h5:/mine", world()), 5, 2);
}

TEST_F(MatrixFiles, text_as_people_write_it) {
    const std::string rows = "0,0.125\n1,1.125\n2,2.125\n3,3.125\n4,4.125";
    expect_made(read_matrix<double>(text("a.csv", rows), world()), 5, 2);
    expect_made(read_matrix<double>(text("b.csv", "x,\"y\"\n" + rows + "\n\n"), world()), 5, 2);
    expect_made(read_matrix<double>(text("c.csv",
                                         "\xEF\xBB\xBF# made by hand\r\n\r\n0; 0.125\r\n"
                                         "1;1.125\r\n"),
                                    world()),
                2, 2);
    expect_made(read_matrix<double>(text("d.txt", "  0\t1.25e-1\n+1   1.125 \n"), world()), 2, 2);
    expect_made(read_matrix<double>(text("e.txt", "0\n1\n2\n"), world()), 3, 1);
}

TEST_F(MatrixFiles, mistakes_in_text_are_named_by_line) {
    expect_part(refusal(text("a.csv", "x,y\n1,2\n3,4\n5\n6,7\n")), "line 4 has 1 fields");
    expect_part(refusal(text("b.csv", "1,2\n3,4,\n")), "line 2 has 3 fields");
    expect_part(refusal(text("c.csv", "1,2\n3,four\n")), "line 2 has 'four'");
    expect_part(refusal(text("d.csv", "1,2\n3,\n")), "line 2 has ''");
    expect_part(refusal(text("e.csv", "")), "empty");
    expect_part(refusal(text("f.csv", "x,y\n")), "empty");
    expect_part(refusal(text("g.csv", "1,2\n1e999,2\n")), "line 2 has '1e999'");
    expect_part(refusal(folder_ / "absent.csv"), "absent.csv");
    expect_part(refusal(text("h.dat", "1 2\n")), "cannot tell");
    std::string many;
    for (int i = 0; i < 1000; ++i) many += "1,2\n";
    expect_part(refusal(text("i.csv", many + "1;2\n" + many)), "line 1001 has 1 fields");
}

TEST_F(MatrixFiles, nan_and_infinity_are_named_by_row_and_column) {
    expect_part(refusal(text("a.csv", "1,2\n3,4\n5,nan\n6,7\n")), "NaN in row 2, column 1");
    expect_part(refusal(text("b.csv", "1,2\n3,4\n5,6\n-inf,7\n")),
                "an infinity in row 3, column 0");
    auto matrix = made(9, 4);
    if (matrix.rows.end() == 9 && matrix.rows.count > 0)
        matrix.values.back() = std::numeric_limits<double>::quiet_NaN();
    write_plain_table(folder_ / "c.npy", matrix, world());
    expect_part(refusal(folder_ / "c.npy"), "NaN in row 8, column 3");
}

TEST_F(MatrixFiles, labels_are_whole_numbers_or_names) {
    using Labels = std::vector<std::int64_t>;
    EXPECT_EQ(read_labels(text("a.csv", "3\n-1\n2\n"), world()), (Labels{3, -1, 2}));
    EXPECT_EQ(read_labels(text("b.csv", "density,label\n0.5,3\n0.25,-1\n"), world()),
              (Labels{3, -1}));
    EXPECT_EQ(read_labels(text("c.csv", "label\nwire\nfibre\nwire\n"), world()), (Labels{1, 0, 1}));
    EXPECT_EQ(read_labels(text("d.csv", "2.0\n1e1\n"), world()), (Labels{2, 10}));
    expect_part(label_refusal(text("e.csv", "1.5\n2\n")), "label 0 of");
    expect_part(label_refusal(text("f.csv", "a,b\n1,2\n")), "none is called 'label'");
    expect_part(label_refusal(text("g.csv", "a,label\n1,2\n1\n")), "line 3 has 1 fields");
    write_plain_table(folder_ / "h.npy", made(4, 1), world());
    EXPECT_EQ(read_labels(folder_ / "h.npy", world()), (Labels{0, 1, 2, 3}));
    write_plain_table(folder_ / "i.npy", made(4, 2), world());
    expect_part(label_refusal(folder_ / "i.npy"), "more than one column");
}

TEST_F(MatrixFiles, nothing_is_left_of_a_table_that_cannot_be_written) {
    EXPECT_THROW(write_plain_table(folder_ / "absent/m.csv", made(3, 2), world()), InputError);
    world().on_root([&] { std::filesystem::create_directory(folder_ / "taken.csv"); });
    EXPECT_THROW(write_plain_table(folder_ / "taken.csv", made(3, 2), world()), EnvironmentError);
    world().barrier();
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "."))
        EXPECT_EQ(entry.path().filename(), "taken.csv");
}

TEST_F(MatrixFiles, random_text_never_does_more_than_refuse) {
    const std::string letters = "0123456789.,;\t \n\r-+enaif#\"x";
    for (int trial = 0; trial < 100; ++trial) {
        base::Random random(5, trial);
        std::string content;
        for (std::uint64_t i = 0; i < random.below(60); ++i)
            content += letters[random.below(letters.size())];
        const auto path = text("fuzz.csv", content);
        try {
            const auto matrix = read_matrix<float>(path, world());
            EXPECT_EQ(static_cast<std::int64_t>(matrix.values.size()),
                      matrix.rows.count * matrix.columns);
        } catch (const InputError&) {
        }
    }
}

}  // namespace
}  // namespace nanoatlas::store
