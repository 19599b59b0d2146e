#include "atlas/facts.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_map>

namespace nanoatlas::atlas {
namespace {

/// Gives values numbers as they come.
class CategoryBuilder {
  public:
    explicit CategoryBuilder(std::string name) : category_{std::move(name), {}, {}} {}
    void add(const std::string& value) {
        const auto next = static_cast<std::int32_t>(number_of_.size());
        const auto [place, is_new] = number_of_.try_emplace(value, next);
        if (is_new) category_.values.push_back(value);
        category_.code.push_back(place->second);
    }
    void add_unknown() { category_.code.push_back(-1); }
    const Category& category() const { return category_; }

  private:
    Category category_;
    std::unordered_map<std::string, std::int32_t> number_of_;
};

struct Field {
    const char *key, *name, *unit;
};
constexpr std::size_t date_length = 10;  // of "2020-08-18T13:40:03"
constexpr const char* date_key = "date_time";
constexpr std::array<Field, 5> texts = {{{"detector", "detector", ""},
                                         {"instrument", "instrument", ""},
                                         {"user", "user", ""},
                                         {"sample", "sample", ""},
                                         {date_key, date_name, ""}}};
constexpr std::array<Field, 3> numbers = {{{"magnification", "magnification", ""},
                                           {"accelerating_voltage", "accelerating voltage", "V"},
                                           {"working_distance", "working distance", "m"}}};

class FactReader {
  public:
    FactReader() : bar_("info bar") {
        for (const auto& field : texts) texts_.emplace_back(field.name);
        for (const auto& field : numbers) numbers_.push_back({field.name, field.unit, {}});
    }

    void add(const nlohmann::json& record) {
        for (std::size_t f = 0; f < texts.size(); ++f) {
            const auto found = record.find(texts[f].key);
            auto text = found != record.end() && found->is_string() ? found->get<std::string>()
                                                                    : std::string();
            if (texts[f].key == date_key) text = text.substr(0, date_length);
            text.empty() ? texts_[f].add_unknown() : texts_[f].add(text);
        }
        for (std::size_t f = 0; f < numbers.size(); ++f) {
            const auto found = record.find(numbers[f].key);
            numbers_[f].value.push_back(found != record.end() && found->is_number()
                                            ? found->get<double>()
                                            : std::numeric_limits<double>::quiet_NaN());
        }
        const auto bar = record.find("data_bar_height");
        if (bar == record.end() || !bar->is_number_integer())
            bar_.add_unknown();
        else if (const auto rows = bar->get<std::int64_t>(); rows == 0)
            bar_.add("none");
        else
            bar_.add(std::to_string(rows) + " rows");
    }

    Facts facts() {
        Facts facts;
        for (const auto& builder : texts_) facts.categories.push_back(builder.category());
        facts.quantities = std::move(numbers_);
        facts.info_bar = bar_.category();
        return facts;
    }

  private:
    std::vector<CategoryBuilder> texts_;
    std::vector<Quantity> numbers_;
    CategoryBuilder bar_;
};

Category sessions(const store::CorpusReader& corpus) {
    const auto groups = corpus.groups();
    const auto paths = corpus.paths();
    std::unordered_map<std::int64_t, std::int64_t> size;
    for (const auto group : groups) ++size[group];
    Category session{"session", {}, {}};
    std::unordered_map<std::int64_t, std::int32_t> number_of;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        if (size[groups[i]] < 2) {
            session.code.push_back(-1);
            continue;
        }
        const auto [place, is_new] =
            number_of.try_emplace(groups[i], static_cast<std::int32_t>(number_of.size()));
        if (is_new) session.values.push_back(paths[i]);
        session.code.push_back(place->second);
    }
    return session;
}

}  // namespace

Facts read_facts(const store::CorpusReader& corpus) {
    constexpr std::int64_t at_once = 4096;
    FactReader reader;
    for (std::int64_t first = 0; first < corpus.rows(); first += at_once)
        for (const auto& text : corpus.metadata(first, std::min(at_once, corpus.rows() - first))) {
            const auto record = nlohmann::json::parse(text, nullptr, false);
            reader.add(record.is_object() ? record : nlohmann::json::object());
        }
    Facts facts = reader.facts();
    facts.session = sessions(corpus);
    facts.quantities.insert(facts.quantities.begin(), {"pixel size", "m", corpus.pixel_sizes()});
    return facts;
}

}  // namespace nanoatlas::atlas
