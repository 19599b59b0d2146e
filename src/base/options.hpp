// Options of a job: one description for the command line, the INI file, --help and --dump-config.
//
//     struct Options { std::string input; int components = 50; };
//     base::OptionTable table("reduce", "reduces the columns of a matrix");
//     table.add("input", options.input, "matrix to read").required();
//     table.add("components", options.components, "columns to keep");
//     // --help, --version or --dump-config was all that was wanted:
//     if (table.parse(arguments) == base::Parsed::done) return exit_status::done;
//
// Every job also has --config, --help, --version, --dump-config, --quiet and --log-json.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace nanoatlas::base {

enum class Parsed { run, done };

/// Name and value, in the order of appearance; names from an INI file's section carry it:
/// "train.epochs".
using Settings = std::vector<std::pair<std::string, std::string>>;

/// All settings of an INI file. throws InputError if it cannot be read
Settings read_ini(const std::string& path);

/// Names of all its sections, those without settings too.
std::vector<std::string> read_ini_sections(const std::string& path);

class OptionTable {
  public:
    class Entry {
      public:
        /// An error if it is not given.
        Entry& required();
        /// An error unless the value is one of these.
        Entry& choices(std::vector<std::string> allowed);
        /// The name alone means "on".
        Entry& may_stand_alone();
        /// Does not change the artefact that the job writes (a path of a log, a thread count), so
        /// it is left out of fingerprints.
        Entry& volatile_option();

      private:
        friend class OptionTable;
        std::string name_, help_;
        std::function<void(const std::vector<std::string>&)> set_;
        std::function<std::vector<std::string>()> get_;
        std::vector<std::string> choices_;
        bool is_required_ = false, is_volatile_ = false, is_list_ = false, is_switch_ = false,
             given_ = false;
    };

    OptionTable(std::string job, std::string summary);

    /// Binds --name to target, whose value now is the default. target must outlive parse().
    /// The reference is valid until the next add().
    Entry& add(const std::string& name, std::string& target, const std::string& help);
    Entry& add(const std::string& name, int& target, const std::string& help);
    Entry& add(const std::string& name, std::int64_t& target, const std::string& help);
    Entry& add(const std::string& name, std::uint64_t& target, const std::string& help);
    Entry& add(const std::string& name, double& target, const std::string& help);
    /// on | off; the name alone means on
    Entry& add(const std::string& name, bool& target, const std::string& help);
    /// One or more values: --images a b c
    Entry& add(const std::string& name, std::vector<std::string>& target, const std::string& help);

    /// Reads the arguments and, under them, --config; sets the targets; applies --quiet and
    /// --log-json to the log. In an INI file a key counts for this job if it stands in no section
    /// or in the section with the job's name; sections of other jobs are passed over.
    /// throws InputError on an unknown option, a value that cannot be read, or a missing one
    Parsed parse(const std::vector<std::string>& arguments);

    const std::string& job() const { return job_; }
    /// The file given by --config, or "".
    const std::string& config() const { return config_; }
    /// What the user gave, and all options with their values now; volatile ones too.
    Settings given() const;
    Settings resolved() const;
    /// The resolved options that change what the job writes.
    Settings fingerprint() const;

  private:
    template <class T>
    Entry& add_scalar(const std::string& name, T& target, const std::string& help);
    Entry& add_entry(Entry entry);
    Entry* find(const std::string& name);
    void apply_settings(const Settings& settings, const std::string& origin);
    void apply_config_file(const std::string& path);
    void assign(Entry& entry, const std::vector<std::string>& values, const std::string& origin);
    void check_required() const;
    void print_help() const;
    void print_config() const;

    std::string job_, summary_;
    std::vector<Entry> entries_;
    std::string config_, log_json_;
    bool quiet_ = false;
};

}  // namespace nanoatlas::base
