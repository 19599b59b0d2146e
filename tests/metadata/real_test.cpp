// Real files of each vendor against what is known of them.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "image/list.hpp"
#include "metadata/record.hpp"
#include "tests/shared_data.hpp"

namespace nanoatlas::testing {
namespace {

struct Read {
    metadata::SemRecord record;
    double pixel_size = 0;
};

Read read(const std::string& path) {
    const auto source =
        image::list_sources({(shared_data() / "data" / path).string()}).sources.at(0);
    const auto picture = image::prepare(source, {.size = 32});
    std::stringstream sidecar;
    if (!source.sidecar.empty()) sidecar << std::ifstream(source.sidecar).rdbuf();
    const auto record = metadata::read_record(picture, sidecar.str());
    return {record, metadata::pixel_size_of(record, picture)};
}

TEST(RealHeaders, zeiss_has_the_expected_values) {
    NEEDS_SHARED("data/sem-vendor/zeiss");
    const std::string name = "sem-vendor/zeiss/1-as-cast_16_Sch_10k_InLens";
    const auto [record, pixel_size] = read(name + ".tif");
    const auto expected =
        nlohmann::json::parse(std::ifstream(shared_data() / "data" / (name + ".json")))["entry"];
    const auto& instrument = expected["instrument"];
    EXPECT_EQ(record.date_time, expected["endTime"]);
    EXPECT_EQ(record.instrument, instrument["instrumentName"]);
    EXPECT_EQ(record.serial_number, instrument["instrumentManufacturer"]["modelName"]);
    EXPECT_EQ(record.software, expected["program"]["programVersion"]);
    EXPECT_EQ(record.user, expected["user"]["userName"]);
    EXPECT_EQ(record.detector, instrument["detectors"]["detector1"]["detectorName"]);
    const auto value = [](const nlohmann::json& quantity) {
        return quantity["value"].get<double>();
    };
    EXPECT_NEAR(*record.accelerating_voltage,
                1e3 * value(instrument["eBeamSource"]["accelerationVoltage"]), 1e-6);
    EXPECT_NEAR(*record.working_distance, 1e-3 * value(instrument["stage"]["eBeamWorkingDistance"]),
                1e-9);
    EXPECT_NEAR(*record.chamber_pressure, 100 * value(instrument["chamberPressure"]), 1e-9);
    EXPECT_NEAR(*record.aperture, 1e-6 * value(instrument["imaging"]["apertureSetting"]["size"]),
                1e-12);
    EXPECT_NEAR(pixel_size, 1e-9 * value(instrument["imaging"]["pixelSize"]["xPixelSize"]), 1e-14);
}

TEST(RealHeaders, fei_magnifications_are_those_drawn_in_the_bars) {
    NEEDS_SHARED("data/sem-vendor/fei-versa3d");
    const auto nickel_oxide = read("sem-vendor/fei-versa3d/NiO_DC_12000x_B.tif");
    EXPECT_NEAR(*nickel_oxide.record.magnification, 12000, 1);
    EXPECT_NEAR(*nickel_oxide.record.accelerating_voltage, 5000, 1e-9);
    EXPECT_NEAR(nickel_oxide.pixel_size, 1.12413e-8, 1e-14);
    EXPECT_EQ(nickel_oxide.record.date_time, "2020-02-13T20:05:58");
    const auto cells =
        read("sem-vendor/fei-versa3d/CS_epithelial_macrophage_5KV_1200x_ETD_HV_s5.0_10.5WD.tif");
    EXPECT_NEAR(*cells.record.magnification, 1200, 1);
    EXPECT_NEAR(*cells.record.working_distance, 10.5e-3, 1e-4);
}

TEST(RealHeaders, fibics_thermofisher_and_sec) {
    NEEDS_SHARED("data/sem-vendor/fibics");
    NEEDS_SHARED("data/sem-ncm/images");
    const auto fibics = read("sem-vendor/fibics");
    EXPECT_NEAR(fibics.pixel_size, 44.7154e-9, 1e-13);
    EXPECT_NEAR(*fibics.record.accelerating_voltage, 5000, 1e-9);
    const auto helios = read("sem-vendor/thermofisher");
    EXPECT_EQ(helios.record.instrument, "Helios G4 PFIB CXe");
    EXPECT_NEAR(helios.pixel_size, 3.85417e-7, 1e-12);
    const auto original = read("sem-ncm/originals/333"), scaled = read("sem-ncm/images/333");
    EXPECT_EQ(scaled.record.instrument, "SNE-4500M Plus");
    EXPECT_NEAR(scaled.pixel_size / original.pixel_size, 1280.0 / 512, 1e-9);
}

}  // namespace
}  // namespace nanoatlas::testing
