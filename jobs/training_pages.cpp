#include "jobs/training_pages.hpp"

#include <array>
#include <ctime>
#include <filesystem>

#include "atlas/training_page.hpp"
#include "base/log.hpp"
#include "store/plain_file.hpp"

namespace nanoatlas::jobs {
namespace {

std::string utc_now() {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text.data();
}

}  // namespace

CurvesPage::CurvesPage(std::string path, std::string title, std::int64_t epochs,
                       std::int64_t samples, const comm::Communicator& world)
    : path_(std::move(path)),
      title_(std::move(title)),
      epochs_(epochs),
      samples_(samples),
      writes_(world.is_root()) {}

void CurvesPage::step_done(const nn::TrainingState& state) {
    constexpr double every = 10;  // seconds
    if (writes_ && since_.seconds() >= every) show(state);
}

void CurvesPage::show(const nn::TrainingState& state) {
    history_ = state.history;
    seen_ = state.seen;
    correct_ = state.correct;
    loss_sum_ = state.loss_sum;
    write("");
}

void CurvesPage::ended(const std::string& how) {
    write(how);
}

void CurvesPage::write(const std::string& how) {
    if (!writes_) return;
    since_.restart();
    atlas::TrainingStory story{.title = title_,
                               .epochs = epochs_,
                               .history = history_,
                               .now = {},
                               .ended = how,
                               .written = utc_now()};
    const auto seen = static_cast<double>(seen_);
    if (seen_ > 0)
        story.now = {.done = seen / static_cast<double>(samples_),
                     .loss = loss_sum_ / seen,
                     .accuracy = static_cast<double>(correct_) / seen};
    try {
        store::publish_text(path_, atlas::training_page(story), comm::Communicator::self());
    } catch (const std::exception& error) {
        base::log_warning(error.what());
    }
}

void write_rate_test(const std::string& folder, const std::string& title, const nn::RateTest& test,
                     const comm::Communicator& world) {
    atlas::RateTestStory story{
        .title = title, .losses = {}, .smoothed = {}, .suggestion = test.suggestion};
    for (std::size_t i = 0; i < test.rates.size(); ++i) {
        story.losses.emplace_back(test.rates[i], test.losses[i]);
        story.smoothed.emplace_back(test.rates[i], test.smoothed[i]);
    }
    const std::filesystem::path place(folder);
    store::publish_text((place / "find-lr.json").string(), nn::rate_test_json(test), world);
    store::publish_text((place / "find-lr.html").string(), atlas::rate_test_page(story), world);
}

}  // namespace nanoatlas::jobs
