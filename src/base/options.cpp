#include "base/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <fstream>
#include <map>
#include <type_traits>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/number.hpp"
#include "base/version.hpp"

namespace nanoatlas::base {
namespace {

namespace po = boost::program_options;

template <class T>
constexpr const char* expected() {
    return std::is_floating_point_v<T> ? "a number" : "a whole number";
}

int edit_distance(const std::string& a, const std::string& b) {
    std::vector<int> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<int>(j);
    for (std::size_t i = 1; i <= a.size(); ++i) {
        int diagonal = row[0];
        row[0] = static_cast<int>(i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const int substituted = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
        }
    }
    return row[b.size()];
}

std::string joined(const std::vector<std::string>& words, const char* separator) {
    return fmt::format("{}", fmt::join(words, separator));
}

}  // namespace

Settings read_ini(const std::string& path) {
    std::ifstream file(path);
    VALIDATE(file.is_open(),
             "cannot read configuration '{}' (no such file, or no permission); "
             "check --config",
             path);
    try {
        Settings settings;
        const po::options_description none;
        for (const auto& option : po::parse_config_file(file, none, true).options)
            for (const auto& value : option.value) settings.emplace_back(option.string_key, value);
        return settings;
    } catch (const po::error& error) {
        throw InputError(fmt::format(
            "cannot read configuration '{}' ({}); it should hold lines 'option = value'", path,
            error.what()));
    }
}

std::vector<std::string> read_ini_sections(const std::string& path) {
    std::vector<std::string> sections;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);)
        if (const auto open = line.find_first_not_of(" \t"), close = line.find(']');
            open != std::string::npos && line[open] == '[' && close != std::string::npos)
            sections.push_back(line.substr(open + 1, close - open - 1));
    return sections;
}

OptionTable::Entry& OptionTable::Entry::required() {
    is_required_ = true;
    return *this;
}

OptionTable::Entry& OptionTable::Entry::choices(std::vector<std::string> allowed) {
    choices_ = std::move(allowed);
    return *this;
}

OptionTable::Entry& OptionTable::Entry::may_stand_alone() {
    is_switch_ = true;
    return *this;
}

OptionTable::Entry& OptionTable::Entry::volatile_option() {
    is_volatile_ = true;
    return *this;
}

OptionTable::OptionTable(std::string job, std::string summary)
    : job_(std::move(job)), summary_(std::move(summary)) {}

OptionTable::Entry& OptionTable::add_entry(Entry entry) {
    ASSERT(find(entry.name_) == nullptr);
    return entries_.emplace_back(std::move(entry));
}

template <class T>
OptionTable::Entry& OptionTable::add_scalar(const std::string& name, T& target,
                                            const std::string& help) {
    Entry entry;
    entry.name_ = name;
    entry.help_ = help;
    entry.set_ = [&target, name](const std::vector<std::string>& values) {
        const auto number = parse_number<T>(values.at(0));
        VALIDATE(number, "--{} '{}' is not {}", name, values.at(0), expected<T>());
        target = *number;
    };
    entry.get_ = [&target] { return std::vector{fmt::format("{}", target)}; };
    return add_entry(std::move(entry));
}

OptionTable::Entry& OptionTable::add(const std::string& name, int& target,
                                     const std::string& help) {
    return add_scalar(name, target, help);
}
OptionTable::Entry& OptionTable::add(const std::string& name, std::int64_t& target,
                                     const std::string& help) {
    return add_scalar(name, target, help);
}
OptionTable::Entry& OptionTable::add(const std::string& name, std::uint64_t& target,
                                     const std::string& help) {
    return add_scalar(name, target, help);
}
OptionTable::Entry& OptionTable::add(const std::string& name, double& target,
                                     const std::string& help) {
    return add_scalar(name, target, help);
}

OptionTable::Entry& OptionTable::add(const std::string& name, std::string& target,
                                     const std::string& help) {
    Entry entry;
    entry.name_ = name;
    entry.help_ = help;
    entry.set_ = [&target](const std::vector<std::string>& values) { target = values.at(0); };
    entry.get_ = [&target] { return std::vector{target}; };
    return add_entry(std::move(entry));
}

OptionTable::Entry& OptionTable::add(const std::string& name, bool& target,
                                     const std::string& help) {
    Entry entry;
    entry.name_ = name;
    entry.help_ = help;
    entry.is_switch_ = true;
    entry.choices_ = {"on", "off"};
    entry.set_ = [&target](const std::vector<std::string>& values) {
        target = values.at(0) == "on";
    };
    entry.get_ = [&target] { return std::vector<std::string>{target ? "on" : "off"}; };
    return add_entry(std::move(entry));
}

OptionTable::Entry& OptionTable::add(const std::string& name, std::vector<std::string>& target,
                                     const std::string& help) {
    Entry entry;
    entry.name_ = name;
    entry.help_ = help;
    entry.is_list_ = true;
    entry.set_ = [&target](const std::vector<std::string>& values) { target = values; };
    entry.get_ = [&target] { return target; };
    return add_entry(std::move(entry));
}

OptionTable::Entry* OptionTable::find(const std::string& name) {
    const auto it = std::find_if(entries_.begin(), entries_.end(),
                                 [&](const Entry& entry) { return entry.name_ == name; });
    return it == entries_.end() ? nullptr : &*it;
}

void OptionTable::assign(Entry& entry, const std::vector<std::string>& values,
                         const std::string& origin) {
    VALIDATE(entry.is_list_ || values.size() == 1, "--{} is given {} times ({}); give it once",
             entry.name_, values.size(), origin);
    for (const auto& value : values)
        VALIDATE(entry.choices_.empty() || std::find(entry.choices_.begin(), entry.choices_.end(),
                                                     value) != entry.choices_.end(),
                 "--{} '{}' is unknown ({}); it is one of: {}", entry.name_, value, origin,
                 joined(entry.choices_, ", "));
    entry.set_(values);
    entry.given_ = true;
}

void OptionTable::apply_settings(const Settings& settings, const std::string& origin) {
    std::map<std::string, std::vector<std::string>> values;
    for (const auto& [name, value] : settings) values[name].push_back(value);
    for (const auto& [name, list] : values) {
        if (Entry* entry = find(name)) {
            assign(*entry, list, origin);
            continue;
        }
        std::string nearest;
        int distance = 4;
        for (const auto& entry : entries_)
            if (const int d = edit_distance(name, entry.name_); d < distance) {
                distance = d;
                nearest = entry.name_;
            }
        throw InputError(fmt::format("unknown option '{}' of '{}' ({}); {}", name, job_, origin,
                                     nearest.empty()
                                         ? fmt::format("'nanoatlas {} --help' lists them", job_)
                                         : fmt::format("did you mean '{}'?", nearest)));
    }
}

void OptionTable::apply_config_file(const std::string& path) {
    Settings own;
    for (const auto& [name, value] : read_ini(path)) {
        const auto dot = name.find('.');
        if (dot == std::string::npos)
            own.emplace_back(name, value);
        else if (name.substr(0, dot) == job_)
            own.emplace_back(name.substr(dot + 1), value);
    }
    apply_settings(own, "in '" + path + "'");
}

Parsed OptionTable::parse(const std::vector<std::string>& arguments) {
    po::options_description description;
    auto add_text = description.add_options();
    for (const auto& entry : entries_) {
        if (entry.is_list_)
            add_text(entry.name_.c_str(), po::value<std::vector<std::string>>()->multitoken());
        else if (entry.is_switch_)
            add_text(entry.name_.c_str(),
                     po::value<std::vector<std::string>>()->multitoken()->zero_tokens());
        else
            add_text(entry.name_.c_str(), po::value<std::string>());
    }
    bool help = false, version = false, dump = false;
    add_text("config", po::value(&config_));
    add_text("log-json", po::value(&log_json_));
    add_text("quiet", po::bool_switch(&quiet_));
    add_text("help", po::bool_switch(&help));
    add_text("version", po::bool_switch(&version));
    add_text("dump-config", po::bool_switch(&dump));

    Settings from_command_line;
    try {
        const auto parsed = po::command_line_parser(arguments)
                                .options(description)
                                .style(po::command_line_style::allow_long |
                                       po::command_line_style::long_allow_adjacent |
                                       po::command_line_style::long_allow_next)
                                .allow_unregistered()
                                .run();
        po::variables_map common;
        po::parsed_options known(&description, 0);
        // Unknown options first: what follows one looks like a stray word.
        for (const auto& option : parsed.options)
            if (option.unregistered) {
                auto name = option.original_tokens.at(0);
                name.erase(0, name.find_first_not_of('-'));
                apply_settings({{name.substr(0, name.find('=')), ""}}, "on the command line");
            }
        for (const auto& option : parsed.options) {
            if (option.position_key != -1)
                throw InputError(fmt::format("'{}' is not an option of '{}'; options begin with --",
                                             option.value.empty() ? "" : option.value[0], job_));
            if (find(option.string_key) == nullptr) {
                known.options.push_back(option);
                continue;
            }
            for (const auto& value : option.value)
                from_command_line.emplace_back(option.string_key, value);
            if (option.value.empty()) from_command_line.emplace_back(option.string_key, "on");
        }
        po::store(known, common);
        po::notify(common);
    } catch (const po::error& error) {
        throw InputError(
            fmt::format("cannot read the options of '{}' ({}); 'nanoatlas {} --help' "
                        "lists them",
                        job_, error.what(), job_));
    }
    if (help) return print_help(), Parsed::done;
    if (version) return print(version_text()), Parsed::done;

    if (!config_.empty()) apply_config_file(config_);
    apply_settings(from_command_line, "on the command line");
    if (dump) return print_config(), Parsed::done;
    check_required();
    if (quiet_ || !log_json_.empty()) set_log_outputs(quiet_, log_json_);
    return Parsed::run;
}

void OptionTable::check_required() const {
    for (const auto& entry : entries_)
        VALIDATE(!entry.is_required_ || entry.given_,
                 "--{} is missing ({}); 'nanoatlas {} --help' "
                 "says more",
                 entry.name_, entry.help_, job_);
}

void OptionTable::print_help() const {
    print(fmt::format("nanoatlas {}: {}\n", job_, summary_));
    const auto line = [](const std::string& left, const std::string& right) {
        print(fmt::format("  {:<34} {}", left, right));
    };
    for (const auto& entry : entries_) {
        const std::string values = entry.choices_.empty() ? (entry.is_list_ ? "A [B ...]" : "X")
                                                          : joined(entry.choices_, "|");
        const auto value = joined(entry.get_(), " ");
        line(fmt::format("--{} {}", entry.name_, values),
             entry.help_ + (entry.is_required_ ? " (required)"
                            : value.empty()    ? ""
                                               : fmt::format(" ({})", value)));
    }
    line("--config FILE", "read options from an INI file; the command line wins");
    line("--dump-config", "print the resolved options as such a file");
    line("--log-json FILE", "append messages and progress as JSON lines");
    line("--quiet", "warnings and errors only");
    line("--help", "this list");
    line("--version", "the version and its commit");
}

void OptionTable::print_config() const {
    print(fmt::format("[{}]", job_));
    for (const auto& entry : entries_) {
        print(fmt::format("# {}", entry.help_));
        for (const auto& value : entry.get_()) print(fmt::format("{} = {}", entry.name_, value));
    }
}

Settings OptionTable::given() const {
    Settings settings;
    for (const auto& entry : entries_)
        if (entry.given_) settings.emplace_back(entry.name_, joined(entry.get_(), " "));
    return settings;
}

Settings OptionTable::resolved() const {
    Settings settings;
    for (const auto& entry : entries_)
        settings.emplace_back(entry.name_, joined(entry.get_(), " "));
    return settings;
}

Settings OptionTable::fingerprint() const {
    Settings settings;
    for (const auto& entry : entries_)
        if (!entry.is_volatile_) settings.emplace_back(entry.name_, joined(entry.get_(), " "));
    return settings;
}

}  // namespace nanoatlas::base
