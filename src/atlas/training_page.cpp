#include "atlas/training_page.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "atlas/line_chart.hpp"
#include "atlas/page_parts.hpp"
#include "atlas/text.hpp"
#include "atlas/web.hpp"

namespace nanoatlas::atlas {
namespace {

using Json = nlohmann::json;
using Points = std::vector<std::pair<double, double>>;

/// The number at a path like "/validation/loss"; NaN if there is none.
double number_at(const Json& epoch, const std::string& path) {
    const Json::json_pointer at(path);
    return epoch.contains(at) && epoch.at(at).is_number()
               ? epoch.at(at).get<double>()
               : std::numeric_limits<double>::quiet_NaN();
}

Points points_of(const std::vector<Json>& epochs, const std::string& path, double factor = 1) {
    Points points;
    for (const auto& epoch : epochs)
        points.emplace_back(number_at(epoch, "/epoch"), factor * number_at(epoch, path));
    return points;
}

/// The epoch that a best one is chosen by: highest accuracy, of equals the lowest loss; 0: none.
std::int64_t best_epoch(const std::vector<Json>& epochs) {
    const auto score = [](const Json& epoch) {
        return std::pair(number_at(epoch, "/validation/accuracy"),
                         -number_at(epoch, "/validation/loss"));
    };
    const Json* best = nullptr;
    for (const auto& epoch : epochs)
        if (!std::isnan(score(epoch).first) && (best == nullptr || score(epoch) > score(*best)))
            best = &epoch;
    return best == nullptr ? 0 : best->at("epoch").get<std::int64_t>();
}

std::string figure(const LineChart& chart) {
    return "<figure><figcaption>" + escape_html(chart.title) + "</figcaption>" + line_chart(chart) +
           "</figure>";
}

std::string duration_text(double seconds) {
    if (seconds < 90) return fmt::format("{:.0f} s", seconds);
    if (seconds < 5400) return fmt::format("{:.0f} min", seconds / 60);
    return fmt::format("{:.1f} h", seconds / 3600);
}

class TrainingPage {
  public:
    explicit TrainingPage(const TrainingStory& story) : story_(story) {
        for (const auto& line : story.history) epochs_.push_back(Json::parse(line));
        best_ = best_epoch(epochs_);
    }

    std::string html() const {
        const bool runs = story_.ended.empty();
        return fill_in(web_file("training.html"),
                       {{"refresh", runs ? R"(<meta http-equiv="refresh" content="15">)" : ""},
                        {"title", escape_html(story_.title)},
                        {"style", std::string(web_file("atlas.css"))},
                        {"state", state()},
                        {"content", figures() + charts() + table()},
                        {"script", runs ? std::string(web_file("training_age.html")) : ""}});
    }

  private:
    double done() const {
        return static_cast<double>(epochs_.size()) + (story_.now ? story_.now->done : 0);
    }

    std::string state() const {
        if (!story_.ended.empty()) return "<b>Ended:</b> " + escape_html(story_.ended);
        return fmt::format(
            R"(<b>Running</b>, epoch {} of {}; written <time datetime="{}">{}</time> )"
            R"(<span id="age"></span>)",
            std::min<std::int64_t>(std::ssize(epochs_) + 1, story_.epochs), story_.epochs,
            story_.written, story_.written);
    }

    std::string figures() const {
        if (epochs_.empty()) return "";
        const auto& last = epochs_.back();
        std::string cards =
            figure_card(fmt::format("{}/{}", epochs_.size(), story_.epochs), "epochs") +
            figure_card(number_text(number_at(last, "/loss")), "loss");
        if (best_ > 0)
            cards += figure_card(
                fmt::format("{:.1f} %",
                            100 * number_at(epochs_[static_cast<std::size_t>(best_ - 1)],
                                            "/validation/accuracy")),
                fmt::format("best validation, epoch {}", best_));
        cards += figure_card(number_text(number_at(last, "/images_per_second")), "images a second");
        double seconds = 0;
        for (const auto& epoch : epochs_) seconds += number_at(epoch, "/seconds");
        cards += figure_card(duration_text(seconds), "of steps");
        const double left = (static_cast<double>(story_.epochs) - done()) * seconds /
                            static_cast<double>(epochs_.size());
        if (story_.ended.empty()) cards += figure_card("≈ " + duration_text(left), "to go");
        return R"(<div class="figures">)" + cards + "</div>";
    }

    /// Curves of training, with the epoch that is under way, and of validation.
    LineChart both(const std::string& title, const char* name, double factor, double now) const {
        auto training = points_of(epochs_, std::string("/") + name, factor);
        if (story_.now && story_.now->done > 0) training.emplace_back(done(), factor * now);
        LineChart chart{
            .title = title,
            .x_name = "epoch",
            .series = {{"training", training, false},
                       {"validation",
                        points_of(epochs_, std::string("/validation/") + name, factor), false}}};
        if (best_ > 0) {
            chart.marked_x = static_cast<double>(best_);
            chart.mark = "best";
        }
        return chart;
    }

    std::string charts() const {
        const auto now = story_.now.value_or(EpochSoFar{});
        auto accuracy = both("Accuracy", "accuracy", 100, now.accuracy);
        accuracy.unit = " %";
        const auto single = [&](const char* title, const char* path) {
            return LineChart{.title = title,
                             .x_name = "epoch",
                             .series = {{"", points_of(epochs_, path), false}}};
        };
        return R"(<div class="charts">)" + figure(both("Loss", "loss", 1, now.loss)) +
               figure(accuracy) + figure(single("Learning rate", "/rate")) +
               figure(single("Images a second", "/images_per_second")) + "</div>";
    }

    std::string table() const {
        std::string rows;
        for (const auto& epoch : epochs_) {
            const auto number = [&](const char* path, double factor = 1) {
                return number_text(factor * number_at(epoch, path));
            };
            rows +=
                epoch.at("epoch").get<std::int64_t>() == best_ ? R"(<tr class="best">)" : "<tr>";
            for (const auto& cell :
                 {fmt::format("{}", epoch.at("epoch").get<std::int64_t>()), number("/loss"),
                  number("/accuracy", 100), number("/validation/loss"),
                  number("/validation/accuracy", 100), number("/validation/macro_f1"),
                  number("/rate"), number("/images_per_second"), number("/seconds")})
                rows += "<td>" + cell + "</td>";
            rows += "</tr>";
        }
        if (rows.empty()) return "";
        std::string heads;
        for (const auto* head :
             {"epoch", "loss", "accuracy [%]", "validation loss", "validation accuracy [%]",
              "validation macro-F1", "learning rate", "images/s", "seconds"})
            heads += fmt::format(R"(<th scope="col">{}</th>)", head);
        return R"(<div class="scroll"><table class="epochs"><thead><tr>)" + heads +
               "</tr></thead><tbody>" + rows + "</tbody></table></div>";
    }

    const TrainingStory& story_;
    std::vector<Json> epochs_;
    std::int64_t best_ = 0;
};

}  // namespace

std::string training_page(const TrainingStory& story) {
    return TrainingPage(story).html();
}

std::string rate_test_page(const RateTestStory& story) {
    LineChart chart{
        .title = "Loss over learning rate",
        .x_name = "learning rate",
        .is_log_x = true,
        .is_log_y = true,
        .series = {{"smoothed", story.smoothed, false}, {"by step", story.losses, true}},
        .marked_x = story.suggestion,
        .mark = story.suggestion ? fmt::format("{:.2g}", *story.suggestion) : ""};
    const auto state =
        story.suggestion
            ? fmt::format(
                  "The loss falls fastest at a rate of <b>{:.2g}</b>: give --lr {:.2g}, or "
                  "less if the curve rises soon behind it.",
                  *story.suggestion, *story.suggestion)
            : std::string(
                  "The loss never fell, so no rate is suggested: the first rate may be too "
                  "large, or the steps too few.");
    return fill_in(web_file("training.html"),
                   {{"refresh", ""},
                    {"title", escape_html(story.title)},
                    {"style", std::string(web_file("atlas.css"))},
                    {"state", state},
                    {"content", R"(<div class="charts">)" + figure(chart) + "</div>"},
                    {"script", ""}});
}

}  // namespace nanoatlas::atlas
