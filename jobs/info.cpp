// nanoatlas info: what a file is, where it came from, and whether it is whole.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/options.hpp"
#include "comm/session.hpp"
#include "jobs/jobs.hpp"
#include "store/artefact.hpp"

namespace nanoatlas::jobs {
namespace {

std::string shape_text(const store::Shape& shape) {
    return fmt::format("[{}]", fmt::join(shape, ", "));
}

/// Reads every dataset once, in pieces: a damaged file is found here and not in the middle of a
/// run.
std::int64_t read_everything(const store::ArtefactReader& reader) {
    constexpr std::int64_t values_at_once = 8 << 20;
    std::int64_t values = 0;
    for (const auto& name : reader.datasets()) {
        const auto shape = reader.shape(name);
        if (shape.empty()) continue;
        const auto row_values =
            std::accumulate(shape.begin() + 1, shape.end(), std::int64_t{1}, std::multiplies<>());
        const auto rows_at_once =
            std::max<std::int64_t>(1, values_at_once / std::max<std::int64_t>(1, row_values));
        for (std::int64_t first = 0; first < shape[0]; first += rows_at_once) {
            const auto count = std::min(rows_at_once, shape[0] - first);
            values += static_cast<std::int64_t>(reader.count_readable(name, first, count));
        }
    }
    return values;
}

void print_provenance(const nlohmann::json& provenance) {
    const auto options = provenance.value("options", nlohmann::json::object());
    const auto inputs = provenance.value("inputs", nlohmann::json::array());
    const auto phases = provenance.value("seconds", nlohmann::json::object());
    const auto results = provenance.value("results", nlohmann::json::object());
    const auto text = [&](const char* key) {
        return provenance.contains(key) ? provenance[key].is_string()
                                              ? provenance[key].get<std::string>()
                                              : provenance[key].dump()
                                        : std::string("unknown");
    };
    base::print(fmt::format("written    {} by {} {} ({})", text("written"), text("job"),
                            text("version"), text("commit")));
    base::print(fmt::format("ranks      {}, {} threads each, seed {}", text("ranks"),
                            text("threads_per_rank"), text("seed")));
    for (const auto& [name, value] : options.items())
        base::print(fmt::format("  --{} {}", name, value.get<std::string>()));
    for (const auto& input : inputs)
        base::print(
            fmt::format("read       {} ({})", input.value("path", ""), input.value("hash", "")));
    for (const auto& [name, seconds] : phases.items())
        base::print(fmt::format("  {:<28} {:.2f} s", name, seconds.get<double>()));
    for (const auto& [name, value] : results.items())
        base::print(fmt::format("  {:<28} {:.4g}", name, value.get<double>()));
}

void describe(const std::string& path) {
    const store::ArtefactReader reader(path);
    base::print(fmt::format("{}: {}", path, reader.format()));
    for (const auto& name : reader.datasets())
        base::print(fmt::format("  /{:<28} {}", name, shape_text(reader.shape(name))));
    const auto provenance = nlohmann::json::parse(reader.provenance(), nullptr, false);
    if (provenance.is_object()) print_provenance(provenance);
    base::print(fmt::format("whole      yes, {} values read", read_everything(reader)));
}

}  // namespace

int run_info(const Arguments& arguments, const comm::Communicator& world) {
    std::string input;
    base::OptionTable table("info", "says what a file is, where it came from, whether it is whole");
    table.add("input", input, "file of nanoatlas; may also stand alone: nanoatlas info FILE")
        .required();
    Arguments words = arguments;
    if (!words.empty() && !words[0].starts_with("--")) words.insert(words.begin(), "--input");
    if (table.parse(words) == base::Parsed::done) return comm::exit_status::done;
    world.on_root([&] { describe(input); });
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
