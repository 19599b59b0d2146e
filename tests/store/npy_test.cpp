#include "store/npy.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>

#include "base/check.hpp"
#include "base/random.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::store {
namespace {

using Shape = std::vector<std::int64_t>;

class Npy : public ::testing::Test {
  protected:
    /// A file with that dictionary and data; a version from 1 to 3.
    std::string file(const std::string& dictionary, std::string_view data, int version = 1) const {
        std::string bytes = "\x93NUMPY";
        bytes += {static_cast<char>(version), '\0'};
        const auto length = dictionary.size() + 1;
        for (int i = 0; i < (version == 1 ? 2 : 4); ++i)
            bytes += static_cast<char>(length >> (8 * i) & 255);
        return folder_.write("a.npy", bytes + dictionary + "\n" + std::string(data));
    }
    template <class T>
    std::string file(const std::string& type, const std::string& shape,
                     const std::vector<T>& values, bool fortran = false, int version = 1) const {
        return file(fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}", type,
                                fortran ? "True" : "False", shape),
                    {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)},
                    version);
    }
    static std::string refusal(const std::string& path) {
        try {
            read_npy<double>(path);
        } catch (const InputError& error) {
            return error.what();
        }
        return "";
    }
    testing::TemporaryFolder folder_;
};

TEST_F(Npy, reads_every_type_of_number) {
    const std::vector<double> expected{1, 2, 100};
    const auto expect = [&](const std::string& path) {
        EXPECT_EQ(read_npy<double>(path).values, expected);
    };
    expect(file("<f8", "(3,)", std::vector<double>{1, 2, 100}));
    expect(file("<f4", "(3,)", std::vector<float>{1, 2, 100}));
    expect(file("<f2", "(3,)", std::vector<std::uint16_t>{0x3C00, 0x4000, 0x5640}));
    expect(file("|i1", "(3,)", std::vector<std::int8_t>{1, 2, 100}));
    expect(file("<i2", "(3,)", std::vector<std::int16_t>{1, 2, 100}));
    expect(file("<i4", "(3,)", std::vector<std::int32_t>{1, 2, 100}));
    expect(file("<i8", "(3,)", std::vector<std::int64_t>{1, 2, 100}));
    expect(file("|u1", "(3,)", std::vector<std::uint8_t>{1, 2, 100}));
    expect(file("<u2", "(3,)", std::vector<std::uint16_t>{1, 2, 100}));
    expect(file("<u4", "(3,)", std::vector<std::uint32_t>{1, 2, 100}));
    expect(file("<u8", "(3,)", std::vector<std::uint64_t>{1, 2, 100}));
    expect(file(">i4", "(3,)", std::vector<std::uint32_t>{1u << 24, 2u << 24, 100u << 24}));
    EXPECT_EQ(read_npy<float>(file("|b1", "(2,)", std::vector<std::uint8_t>{1, 0})).values,
              (std::vector<float>{1, 0}));
    EXPECT_EQ(
        read_npy<std::int64_t>(file("<i8", "(1,)", std::vector<std::int64_t>{1LL << 60})).values,
        (std::vector<std::int64_t>{1LL << 60}));
}

TEST_F(Npy, reads_the_corners_of_half_precision) {
    const auto read = read_npy<double>(file(
        "<f2", "(6,)", std::vector<std::uint16_t>{0x8000, 0x0001, 0x03FF, 0x7BFF, 0xC000, 0xFC00}));
    EXPECT_EQ(read.values, (std::vector<double>{-0.0, 0x1p-24, 1023 * 0x1p-24, 65504, -2,
                                                -std::numeric_limits<double>::infinity()}));
}

TEST_F(Npy, reads_versions_shapes_and_a_single_number) {
    for (const int version : {1, 2, 3}) {
        const auto read =
            read_npy<float>(file<float>("<f4", "(2, 1, 3)", {1, 2, 3, 4, 5, 6}, false, version));
        EXPECT_EQ(read.shape, (Shape{2, 1, 3}));
        EXPECT_EQ(read.values, (std::vector<float>{1, 2, 3, 4, 5, 6}));
    }
    EXPECT_EQ(read_npy<float>(file<float>("<f4", "()", {7})).values, (std::vector<float>{7}));
    EXPECT_TRUE(read_npy<float>(file<float>("<f4", "(0, 5)", {})).values.empty());
    EXPECT_EQ(read_npy<float>(file<float>("<f4", "(2L, 1L)", {1, 2})).shape, (Shape{2, 1}));
}

TEST_F(Npy, fortran_order_is_turned_into_rows) {
    for (int trial = 0; trial < 50; ++trial) {
        base::Random random(2, trial);
        Shape shape;
        std::int64_t count = 1;
        for (std::uint64_t d = 0; d < 1 + random.below(4); ++d) {
            shape.push_back(static_cast<std::int64_t>(1 + random.below(6)));
            count *= shape.back();
        }
        // The value at an index is its number in C order; it is stored in Fortran order.
        std::vector<double> stored(static_cast<std::size_t>(count));
        for (std::int64_t c = 0; c < count; ++c) {
            std::int64_t rest = c, place = 0, stride = count;
            for (std::size_t d = shape.size(); d-- > 0;) {
                stride /= shape[d];
                place += rest % shape[d] * stride;
                rest /= shape[d];
            }
            stored[static_cast<std::size_t>(place)] = static_cast<double>(c);
        }
        std::string lengths;
        for (const auto length : shape) lengths += std::to_string(length) + ", ";
        const auto path = file("<f8", "(" + lengths + ")", stored, true);
        const auto header = read_npy_header(path);
        const auto first =
            static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(header.rows())));
        const auto rows = read_npy_rows<double>(path, header, first, header.rows() - first);
        for (std::size_t i = 0; i < rows.size(); ++i)
            ASSERT_EQ(rows[i],
                      static_cast<double>(first * header.row_length()) + static_cast<double>(i));
    }
}

TEST_F(Npy, written_headers_read_back) {
    for (const Shape& shape : {Shape{3, 2}, Shape{6}, Shape{1, 2, 3}}) {
        const std::vector<std::int32_t> values{1, -2, 3, -4, 5, -6};
        const auto header = npy_header_bytes<std::int32_t>(shape);
        EXPECT_EQ(header.size() % 64, 0u);
        const auto path = folder_.write(
            "w.npy", header + std::string(reinterpret_cast<const char*>(values.data()), 24));
        const auto read = read_npy<std::int64_t>(path);
        EXPECT_EQ(read.shape, shape);
        EXPECT_EQ(read.values, (std::vector<std::int64_t>{1, -2, 3, -4, 5, -6}));
    }
}

TEST_F(Npy, wrong_files_are_refused_with_their_cause) {
    const auto holds = [](const std::string& text, const std::string& part) {
        EXPECT_NE(text.find(part), std::string::npos) << text;
    };
    holds(refusal(folder_ / "absent.npy"), "no such file");
    holds(refusal(folder_.write("e.npy", "")), "no .npy file");
    holds(refusal(folder_.write("t.npy", "hello, this is text")), "no .npy file");
    holds(refusal(file<float>("<f4", "(3,)", {1, 2})), "claims more than the 2 values");
    holds(refusal(file<float>("<f4", "(4611686018427387904, 4)", {1, 2})), "claims more");
    holds(refusal(file<float>("<f4", "(0, 900000000000000000, 900000000000000000)", {})),
          "claims more");
    holds(refusal(file<float>("<f4", "(-3,)", {1, 2})), "no length");
    holds(refusal(file<float>("<f4", "(99999999999999999999,)", {1, 2})), "no length");
    holds(refusal(file<float>("|O", "(1,)", {1, 2})), "its type '|O'");
    holds(refusal(file<float>("<c8", "(1,)", {1, 2})), "its type '<c8'");
    holds(refusal(file<float>("<f1", "(1,)", {1, 2})), "its type '<f1'");
    holds(refusal(file("{'descr': '<f4', 'shape': (1,)}", "1234")), "no 'fortran_order'");
    holds(refusal(file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "1234")),
          "no plain type");
    holds(refusal(file<float>("<f4", "(1,)", {1}, false, 4)), "format version is 4");
    holds(refusal(folder_.write("l.npy", std::string("\x93NUMPY\x02\0\xff\xff\xff\x7f", 12))),
          "claims 2147483647 bytes");
}

TEST_F(Npy, random_damage_never_does_more_than_refuse) {
    const auto path = file<float>("<f4", "(4, 3)", std::vector<float>(12, 1.0f));
    std::stringstream whole;
    whole << std::ifstream(path, std::ios::binary).rdbuf();
    for (int trial = 0; trial < 2000; ++trial) {
        base::Random random(3, trial);
        auto bytes = whole.str();
        for (std::uint64_t i = 0; i < 1 + random.below(4); ++i)
            bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
        if (random.chance(0.3)) bytes.resize(random.below(bytes.size()));
        const auto damaged = folder_.write("d.npy", bytes);
        try {
            EXPECT_LE(read_npy<double>(damaged).values.size(), bytes.size());
        } catch (const InputError&) {
        }
    }
}

}  // namespace
}  // namespace nanoatlas::store
