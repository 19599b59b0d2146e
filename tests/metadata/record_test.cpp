// Headers of each vendor become one record in SI units; what is damaged becomes less, not an error.
#include "metadata/record.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "base/random.hpp"
#include "metadata/fields.hpp"
#include "tests/metadata/headers.hpp"

namespace nanoatlas::testing {
namespace {

using metadata::quantity;
using metadata::SemRecord;

image::Picture picture_with(int tag, const std::string& header, int width = 1024,
                            int height = 768) {
    image::Picture picture{.width = width, .height = height, .format = "TIFF"};
    if (tag != 0) picture.headers = {{.tag = tag, .text = header}};
    return picture;
}

SemRecord record_of(int tag, const std::string& header) {
    return metadata::read_record(picture_with(tag, header), "");
}

SemRecord record_beside(const std::string& sidecar) {
    return metadata::read_record(picture_with(0, ""), sidecar);
}

void expect_near(const std::optional<double>& value, double expected) {
    ASSERT_TRUE(value.has_value());
    EXPECT_NEAR(*value, expected, 1e-9 * std::abs(expected));
}

TEST(Quantity, numbers_with_units_in_si) {
    const std::vector<std::pair<const char*, double>> cases = {
        {"10.00 kV", 1e4},
        {"11.16 nm", 11.16e-9},
        {" 10.00 K X", 1e4},
        {"x500 ", 500},
        {"5mm", 5e-3},
        {"= 4.28 kV", 4280},
        {"120.0 \u00b5m", 120e-6},
        {"3 \u03bcm", 3e-6},
        {"5.73e-006 mbar", 5.73e-4},
        {"15000 Volt", 15000},
        {"-36.0\u00b0", -36 * std::numbers::pi / 180},
        {"+2", 2},
        {"0.0133921", 0.0133921}};
    for (const auto& [text, expected] : cases) {
        SCOPED_TRACE(text);
        expect_near(quantity(text), expected);
    }
    for (const auto* nothing :
         {"", "Off", "1024 * 768", "12 parsec", "nan", "1e999", "V05.07", "."})
        EXPECT_FALSE(quantity(nothing).has_value()) << nothing;
}

TEST(DateTime, in_iso_order) {
    EXPECT_EQ(metadata::iso_date_time("9 Dec 2019", "11:18:36"), "2019-12-09T11:18:36");
    EXPECT_EQ(metadata::iso_date_time("13.02.2020", " 20:05:58"), "2020-02-13T20:05:58");
    EXPECT_EQ(metadata::iso_date_time("2019-09-02", "00:09:36.5699240"), "2019-09-02T00:09:36");
    EXPECT_EQ(metadata::iso_date_time("2024-02-07", ""), "2024-02-07");
    for (const auto* wrong : {"", "yesterday", "40.13.2020", "1.1"})
        EXPECT_EQ(metadata::iso_date_time(wrong, "1"), "") << wrong;
}

TEST(Record, zeiss) {
    const auto record = record_of(34118, zeiss_header());
    EXPECT_EQ(record.vendor, "Zeiss");
    EXPECT_EQ(record.instrument, "Auriga 60");
    EXPECT_EQ(record.detector, "InLens");
    EXPECT_EQ(record.date_time, "2019-12-09T11:18:36");
    expect_near(record.accelerating_voltage, 1e4);
    expect_near(record.working_distance, 4.967e-3);
    expect_near(record.magnification, 1e4);
    expect_near(record.pixel_size, 11.16e-9);
    expect_near(record.aperture, 30e-6);
    expect_near(record.beam_current, 690e-12);
    expect_near(record.chamber_pressure, 5.73e-4);
    expect_near(record.stage_tilt, std::numbers::pi / 2);
}

TEST(Record, fei) {
    const auto record = record_of(34682, fei_header());
    EXPECT_EQ(record.vendor, "FEI");
    EXPECT_EQ(record.instrument, "Versa 3D");
    EXPECT_EQ(record.detector, "ETD");
    EXPECT_EQ(record.date_time, "2020-02-13T20:05:58");
    expect_near(record.accelerating_voltage, 5000);
    expect_near(record.working_distance, 0.0133921);
    expect_near(record.pixel_size, 1.12413e-8);
    EXPECT_NEAR(*record.magnification, 12000, 1);
}

TEST(Record, fei_dates_of_the_user_section) {
    const auto date_of = [](const std::string& date, const std::string& time) {
        return record_of(34682, "[User]\nDate=" + date + "\nTime=" + time + "\n[Beam]\nHV=1\n")
            .date_time;
    };
    EXPECT_EQ(date_of("02/13/2020", "08:05:58 PM"), "2020-02-13T20:05:58");
    EXPECT_EQ(date_of("02/03/2020", "12:05:58 AM"), "2020-02-03T00:05:58");
    EXPECT_EQ(date_of("18/03/2020", "17:05:58"), "2020-03-18T17:05:58");
    EXPECT_EQ(date_of("18/03/2020", ""), "2020-03-18");
    EXPECT_EQ(date_of("yesterday", "noon"), "");
}

TEST(Record, fibics) {
    const auto record = record_of(51023, fibics_header());
    EXPECT_EQ(record.instrument, "INT-AURIGA");
    EXPECT_EQ(record.date_time, "2017-04-20T11:52:36");
    expect_near(record.accelerating_voltage, 5000);
    expect_near(record.pixel_size, 45e-9);
    expect_near(record.dwell_time, 1e-6);
    expect_near(record.stage_tilt, std::numbers::pi / 2);
}

TEST(Record, sidecars) {
    const auto sec = record_beside(sec_sidecar());
    EXPECT_EQ(sec.vendor, "SEC");
    EXPECT_EQ(sec.date_time, "2019-09-02T00:09:36");
    expect_near(sec.accelerating_voltage, 20000);
    expect_near(sec.working_distance, 5e-3);
    expect_near(sec.magnification, 500);
    const auto tescan = record_beside(tescan_sidecar());
    EXPECT_EQ(tescan.instrument, "TESCAN SOLARIS X");
    EXPECT_EQ(tescan.date_time, "2024-02-07T10:20:30");
    expect_near(tescan.pixel_size, 5e-8);
    expect_near(tescan.working_distance, 6e-3);
    const auto hitachi = record_beside(hitachi_sidecar());
    EXPECT_EQ(hitachi.detector, "SE(U)");
    expect_near(hitachi.pixel_size, 49.60938e-9);
    expect_near(hitachi.working_distance, 8.4e-3);
}

TEST(Record, pixel_size_is_that_of_the_file_at_hand) {
    const auto zeiss = record_of(34118, zeiss_header());
    EXPECT_NEAR(metadata::pixel_size_of(zeiss, picture_with(0, "", 1024)), 11.16e-9, 1e-15);
    EXPECT_NEAR(metadata::pixel_size_of(zeiss, picture_with(0, "", 512)), 22.32e-9, 1e-15);
    const auto sec = record_beside(sec_sidecar());
    EXPECT_NEAR(metadata::pixel_size_of(sec, picture_with(0, "", 1280)), 0.7e-6, 1e-12);
    EXPECT_NEAR(metadata::pixel_size_of(sec, picture_with(0, "", 512)), 1.75e-6, 1e-12);
    EXPECT_TRUE(std::isnan(metadata::pixel_size_of({}, picture_with(0, ""))));
}

TEST(Record, nothing_known_is_no_error) {
    EXPECT_EQ(record_of(34118, "").vendor, "");
    EXPECT_EQ(record_of(34682, "no header").vendor, "");
    EXPECT_EQ(record_of(51023, "<Fibics").vendor, "");
    EXPECT_EQ(record_beside("just some notes: none").vendor, "");
    EXPECT_EQ(metadata::read_record(picture_with(0, ""), "").vendor, "");
}

TEST(Json, has_the_record_and_the_facts_of_the_picture) {
    auto picture = picture_with(34682, fei_header(), 1536, 1103);
    picture.bar = {.top = 0, .bottom = 79, .origin = "header"};
    picture.tone = {.low = 100, .high = 5000, .by_percentiles = true};
    const auto record = metadata::read_record(picture, "");
    const auto json = nlohmann::json::parse(metadata::to_json(record, picture));
    EXPECT_EQ(json["vendor"], "FEI");
    EXPECT_EQ(json["data_bar_height"], 79);
    EXPECT_EQ(json["data_bar"]["origin"], "header");
    EXPECT_EQ(json["tone"]["low"], 100);
    EXPECT_NEAR(json["field_of_view"][0].get<double>(), 1536 * 1.12413e-8, 1e-12);
    EXPECT_NEAR(json["field_of_view"][1].get<double>(), 1024 * 1.12413e-8, 1e-12);
    EXPECT_EQ(json["original"]["EBeam.HV"], "5000");
    EXPECT_FALSE(
        nlohmann::json::parse(metadata::to_json({}, picture_with(0, ""))).contains("pixel_size"));
}

TEST(Json, stays_short_and_valid_whatever_the_header_holds) {
    std::string header = "[Beam]\nHV=5000\n";
    for (int i = 0; i < 5000; ++i)
        header += "Field" + std::to_string(i) + "=" + std::string(20, 'x') + "\n";
    header += "Long=" + std::string(100'000, 'y') + "\nBytes=\xC3\x28\xFF\n";
    auto picture = picture_with(34682, header);
    const auto text = metadata::to_json(metadata::read_record(picture, ""), picture);
    EXPECT_LT(text.size(), 5000U);
    EXPECT_TRUE(nlohmann::json::accept(text));
}

TEST(RecordFuzz, damaged_headers_never_fail) {
    const std::vector<std::pair<int, std::string>> headers = {
        {34118, zeiss_header()}, {34682, fei_header()}, {51023, fibics_header()},
        {0, sec_sidecar()},      {0, tescan_sidecar()}, {0, hitachi_sidecar()}};
    for (const auto& [tag, header] : headers)
        for (int round = 0; round < 300; ++round) {
            base::Random random(5, static_cast<std::uint64_t>(tag), round);
            auto text = header;
            if (random.chance(0.3)) text.resize(random.below(text.size()));
            for (auto flips = random.below(20); flips > 0 && !text.empty(); --flips)
                text[random.below(text.size())] = static_cast<char>(random.below(256));
            const auto picture = picture_with(tag, text);
            const auto record = metadata::read_record(picture, tag == 0 ? text : "");
            ASSERT_TRUE(nlohmann::json::accept(metadata::to_json(record, picture)));
        }
}

}  // namespace
}  // namespace nanoatlas::testing
