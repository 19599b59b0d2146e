// The files of a synthesis, read back with the libraries that everyone reads them with.
#include "synth/files.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include "base/check.hpp"
#include "synth/categories.hpp"
#include "synth/damage.hpp"
#include "synth/vendor_header.hpp"
#include "tests/synth/read_back.hpp"

namespace nanoatlas::synth {
namespace {

using testing::Image;
using testing::read_image;

std::string line_after(const std::string& text, const std::string& start) {
    const auto at = text.find(start);
    if (at == std::string::npos) return {};
    return text.substr(at + start.size(), text.find('\r', at) - at - start.size());
}

// "11.16 nm" in metres.
double metres(const std::string& text) {
    std::istringstream stream(text);
    double value = 0;
    std::string unit;
    stream >> value >> unit;
    const std::map<std::string, double> units = {
        {"pm", 1e-12}, {"nm", 1e-9}, {"\xB5m", 1e-6}, {"mm", 1e-3}};
    return units.contains(unit) ? value * units.at(unit) : std::nan("");
}

TEST(SynthFiles, hold_each_category_equally_often) {
    const Files files({.count = 200});
    std::map<std::string, int> count;
    for (std::int64_t i = 0; i < files.count(); ++i)
        ++count[files.path(i).substr(0, files.path(i).find('/'))];
    EXPECT_EQ(count.size(), categories.size());
    for (const auto& category : categories) EXPECT_EQ(count[category.name], 20) << category.name;
}

TEST(SynthFiles, do_not_bind_formats_to_categories) {
    const Files files({.count = 600});
    std::map<std::string, std::set<std::string>> endings;
    for (std::int64_t i = 0; i < files.count(); ++i) {
        const auto path = files.path(i);
        endings[path.substr(0, path.find('/'))].insert(path.substr(path.rfind('.')));
    }
    for (const auto& [category, found] : endings) EXPECT_EQ(found.size(), 3u) << category;
}

TEST(SynthFiles, are_of_the_formats_asked_for_at_both_depths) {
    std::set<int> depths, tags;
    const Files files({.count = 48, .size = 64, .formats = "tiff,png"});
    for (std::int64_t i = 0; i < files.count(); ++i) {
        const auto file = files.make(i);
        const Image image = read_image(file);
        EXPECT_EQ(image.width, 64);
        EXPECT_GE(image.height, 64);
        depths.insert(image.bits);
        if (file.path.ends_with("tif")) tags.insert(static_cast<int>(image.header_tag));
        EXPECT_FALSE(file.path.ends_with("jpg"));
    }
    EXPECT_EQ(depths, (std::set{8, 16}));
    EXPECT_EQ(tags, (std::set{int{zeiss_tag}, int{fei_tag}}));
}

TEST(SynthFiles, quote_the_pixel_size_of_the_micrograph_in_both_headers) {
    for (const char* format : {"zeiss", "fei"}) {
        const FolderOptions options{.count = 20, .size = 64, .formats = format};
        const Files files(options);
        for (std::int64_t i = 0; i < files.count(); ++i) {
            const double truth = draw(options.seed, i, options.size).pixel_size;
            const auto image = read_image(files.make(i));
            const double quoted = image.header_tag == zeiss_tag
                                      ? metres(line_after(image.header, "\r\nPixel Size = "))
                                      : std::stod(line_after(image.header, "\r\nPixelWidth="));
            EXPECT_NEAR(quoted / truth, 1, 1e-3) << files.path(i);
        }
    }
}

TEST(SynthFiles, tell_the_rows_of_the_databar_in_feis_header) {
    const Files files({.count = 10, .size = 128, .formats = "fei"});
    for (std::int64_t i = 0; i < files.count(); ++i) {
        const auto image = read_image(files.make(i));
        const int rows = std::stoi(line_after(image.header, "DatabarHeight="));
        EXPECT_EQ(image.height, 128 + rows);
        EXPECT_EQ(std::stoi(line_after(image.header, "ResolutionY=")), 128);
        if (rows == 0) continue;
        EXPECT_EQ(image.at(0, image.height - 1), 0) << "the bar is black";
    }
}

TEST(SynthFiles, lack_the_bar_in_about_two_of_a_hundred) {
    const Files files({.count = 600, .size = 32, .formats = "fei"});
    int without = 0;
    for (std::int64_t i = 0; i < files.count(); ++i)
        without += line_after(read_image(files.make(i)).header, "DatabarHeight=") == "0";
    EXPECT_GE(without, 3);
    EXPECT_LE(without, 30);
}

TEST(SynthFiles, are_damaged_in_every_way_and_no_reader_takes_them) {
    const FolderOptions options{.count = 3, .size = 32, .damaged = 2 * kinds_of_damage};
    const Files files(options);
    std::set<std::string> paths;
    for (std::int64_t i = options.count; i < files.count(); ++i) {
        const auto file = files.make(i);
        paths.insert(file.path);
        EXPECT_NE(file.path.find("/damaged_"), std::string::npos);
        EXPECT_THROW(read_image(file), testing::Unreadable) << file.path;
    }
    EXPECT_EQ(paths.size(), static_cast<std::size_t>(2 * kinds_of_damage));
}

TEST(SynthFiles, refuse_options_that_make_no_sense) {
    EXPECT_THROW(Files({.count = -1}), InputError);
    EXPECT_THROW(Files({.size = 7}), InputError);
    EXPECT_THROW(Files({.damaged = -2}), InputError);
    EXPECT_THROW(parse_formats("png,gif"), InputError);
    EXPECT_THROW(parse_formats(""), InputError);
}

}  // namespace
}  // namespace nanoatlas::synth
