// An autoencoder as a method of `reduce`.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/number.hpp"
#include "base/random.hpp"
#include "jobs/checkpoints.hpp"
#include "jobs/network_options.hpp"
#include "jobs/reduce_method.hpp"
#include "nn/train/start.hpp"
#include "reduce/autoencoder/code_frame.hpp"
#include "reduce/autoencoder/comparison.hpp"
#include "reduce/autoencoder/encoding.hpp"
#include "reduce/autoencoder/file.hpp"
#include "reduce/autoencoder/picture_rows.hpp"
#include "reduce/autoencoder/training.hpp"
#include "store/agree.hpp"

namespace nanoatlas::jobs {
namespace {

using reduce::ColumnWeights;
using Rows = std::unique_ptr<reduce::AutoencoderRows>;

/// What was found in training; not known of an autoencoder that was read.
struct Course {
    std::vector<double> trained, held_out;  ///< by epoch, as shares of the variance
    std::int64_t best_epoch = 0;
    std::int64_t rows_held_out = 0;
    reduce::Unexplained of_trained, of_held_out;

    /// Of the rows to judge by: those held out, or if there are none those trained on.
    const reduce::Unexplained& to_judge_by() const {
        return rows_held_out > 0 ? of_held_out : of_trained;
    }
};

class AutoencoderMethod final : public ReduceMethod {
  public:
    explicit AutoencoderMethod(std::shared_ptr<const SharedReduceOptions> shared)
        : shared_(std::move(shared)) {}

    void add_options(base::OptionTable& table) override;
    store::Matrix<float> run(const ReduceInput& input, store::Provenance& provenance,
                             const comm::Communicator& world) override;
    void write(store::ArtefactWriter& writer) const override;
    std::string summary() const override;

  private:
    bool is_new() const { return shared_->fitted.empty(); }
    void read_fitted(const ReduceInput& input, const comm::Communicator& world);
    /// The rows, and of a new autoencoder its sizes, its scale, and who is held out.
    Rows open_pictures(const ReduceInput& input, const comm::Communicator& world);
    Rows open_matrix(const ReduceInput& input, store::Provenance& provenance,
                     const comm::Communicator& world);
    void fit(const reduce::AutoencoderRows& rows, store::Provenance& provenance,
             const comm::Communicator& world);
    /// What must be equal for a checkpoint to be gone on with.
    nn::TrainingSettingsText settings_text(const reduce::AutoencoderRows& rows,
                                           const comm::Communicator& world) const;
    void judge(const reduce::Encoded& encoded, const reduce::AutoencoderRows& rows,
               store::Provenance& provenance, const comm::Communicator& world);

    std::shared_ptr<const SharedReduceOptions> shared_;
    std::string hidden_ = "auto";
    std::int64_t side_ = 64;
    bool standardise_ = false;
    double holdout_ = 0.1;
    NetworkChoice choice_;
    CheckpointOptions checkpoint_;
    reduce::AutoencoderSettings settings_;
    reduce::Autoencoder autoencoder_;
    reduce::Split split_;
    reduce::Pca pca_;
    std::optional<Course> course_;
};

void AutoencoderMethod::add_options(base::OptionTable& table) {
    const std::string us = "autoencoder: ";
    table.add("hidden", hidden_,
              us + "units of the layers before the code, mirrored behind it: 512,128, or none; of "
                   "pictures channels of the convolutions, each of which halves the sides");
    table.add("standardise", standardise_,
              us + "columns count equally; else by their variances, as in pca");
    table.add("size", side_, us + "side of the pictures of a corpus as the network reads them");
    table.add("epochs", settings_.epochs, us + "times that each row is seen");
    table.add("batch", settings_.batch, us + "rows of a step over all ranks");
    table.add("lr", settings_.rate, us + "highest learning rate of AdamW");
    table.add("noise", settings_.noise,
              us + "deviation of noise that the network is to take out of scaled columns");
    table.add("holdout", holdout_, us + "share of the rows to judge by, which it does not learn");
    add_network_options(table, choice_, us, {"f32", "bf16"});
    add_checkpoint_options(table, checkpoint_, us, "checkpoint.h5");
}

std::int64_t code_of(const std::string& components) {
    const auto code = base::parse_number<std::int64_t>(components);
    VALIDATE(code && *code > 0,
             "--components is '{}'; an autoencoder wants a number of columns, 10 for example",
             components);
    return *code;
}

void AutoencoderMethod::read_fitted(const ReduceInput& input, const comm::Communicator& world) {
    const auto& path = shared_->fitted;
    store::agree_on_input(world, [&] {
        const store::ArtefactReader file(path, "embedding");
        check_fit(file, "autoencoder", input);
        autoencoder_ = reduce::read_autoencoder(file);
    });
}

/// A file of pictures and not a matrix.
bool is_corpus(const std::string& source) {
    return source.ends_with(".h5") &&
           store::ArtefactReader(source, store::ArtefactReader::any_hdf5).format() == "corpus";
}

Rows AutoencoderMethod::open_pictures(const ReduceInput& input, const comm::Communicator& world) {
    VALIDATE(input.chain.is_empty(),
             "--enhance changes the columns of a matrix, and '{}' holds pictures; leave it out",
             input.source);
    VALIDATE(side_ > 1 && side_ <= 1024, "--size {} is not in [2, 1024] pixels", side_);
    const store::CorpusReader corpus(input.source);
    nn::Images images(corpus);
    if (is_new()) {
        split_ = reduce::split_of(corpus, holdout_, settings_.seed);
        const auto grey = nn::pixel_statistics(images, split_.trained, world);
        autoencoder_ = {
            .input = {1, side_, side_},
            .hidden = reduce::parse_hidden(hidden_ == "auto" ? "16,32,64,128" : hidden_),
            .code = code_of(shared_->components),
            .mean = {grey.mean},
            .deviation = {grey.std}};
    }
    VALIDATE(autoencoder_.reads_pictures(),
             "the autoencoder of '{}' reads {} columns, and '{}' holds pictures; give it a matrix",
             shared_->fitted, autoencoder_.input.elements(), input.source);
    return std::make_unique<reduce::PictureRows>(
        std::move(images), static_cast<int>(autoencoder_.input.height), autoencoder_.mean[0],
        autoencoder_.deviation[0], world);
}

Rows AutoencoderMethod::open_matrix(const ReduceInput& input, store::Provenance& provenance,
                                    const comm::Communicator& world) {
    auto matrix = input.read(provenance, world);
    if (is_new()) {
        split_ = reduce::draw_split(matrix.rows.total, holdout_, settings_.seed);
        auto [mean, deviation] = reduce::column_scale(
            matrix, standardise_ ? ColumnWeights::equal : ColumnWeights::as_they_are, world);
        autoencoder_ = {.input = {matrix.columns, 1, 1},
                        .hidden = reduce::parse_hidden(hidden_ == "auto" ? "256" : hidden_),
                        .code = code_of(shared_->components),
                        .mean = std::move(mean),
                        .deviation = std::move(deviation)};
    }
    VALIDATE(!autoencoder_.reads_pictures(),
             "the autoencoder of '{}' reads pictures, and '{}' is a matrix; give it a corpus.h5",
             shared_->fitted, input.source);
    VALIDATE(autoencoder_.input.elements() == matrix.columns,
             "the autoencoder of '{}' reads {} columns and '{}' has {}; give it rows of the same "
             "features",
             shared_->fitted, autoencoder_.input.elements(), input.source, matrix.columns);
    return std::make_unique<reduce::MatrixRows>(
        std::move(matrix), reduce::ColumnScale{autoencoder_.mean, autoencoder_.deviation}, world);
}

store::Matrix<float> AutoencoderMethod::run(const ReduceInput& input, store::Provenance& provenance,
                                            const comm::Communicator& world) {
    settings_.precision = nn::precision_of(choice_.precision);
    settings_.backend = nn::backend_kind(choice_.backend);
    settings_.seed = shared_->seed;
    complete(checkpoint_, shared_->output);
    if (is_new())
        provenance.set_seed(settings_.seed);
    else
        read_fitted(input, world);
    const auto rows = is_corpus(input.source) ? open_pictures(input, world)
                                              : open_matrix(input, provenance, world);
    if (is_new()) {
        const auto scope = provenance.phases().measure("reduce/autoencoder");
        fit(*rows, provenance, world);
    }
    const auto scope = provenance.phases().measure("reduce/encode");
    auto encoded =
        reduce::encode(autoencoder_, *rows, settings_.precision, settings_.backend, world);
    if (course_) judge(encoded, *rows, provenance, world);
    return std::move(encoded.codes);
}

void AutoencoderMethod::judge(const reduce::Encoded& encoded, const reduce::AutoencoderRows& rows,
                              store::Provenance& provenance, const comm::Communicator& world) {
    course_->of_trained = reduce::unexplained(encoded, pca_, rows, split_.trained, world);
    course_->of_held_out = reduce::unexplained(encoded, pca_, rows, split_.held_out, world);
    const auto& judged = course_->to_judge_by();
    provenance.add_result("reconstruction_error", judged.autoencoder);
    provenance.add_result("pca_reconstruction_error", judged.pca);
}

nn::TrainingSettingsText AutoencoderMethod::settings_text(const reduce::AutoencoderRows& rows,
                                                          const comm::Communicator& world) const {
    auto learnt = reduce::fingerprint(rows, world);
    for (const auto number : split_.trained)
        learnt = base::mix(learnt ^ static_cast<std::uint64_t>(number));
    return {{"hidden", reduce::hidden_text(autoencoder_.hidden)},
            {"components", fmt::to_string(autoencoder_.code)},
            {"epochs", fmt::to_string(settings_.epochs)},
            {"batch", fmt::to_string(settings_.batch)},
            {"lr", fmt::to_string(settings_.rate)},
            {"noise", fmt::to_string(settings_.noise)},
            {"seed", fmt::to_string(settings_.seed)},
            {"precision", choice_.precision},
            {"backend", choice_.backend},
            {"rows learnt", fmt::format("{:016x}", learnt)}};
}

void AutoencoderMethod::fit(const reduce::AutoencoderRows& rows, store::Provenance& provenance,
                            const comm::Communicator& world) {
    const comm::StopSignals signals;
    reduce::graph_of(autoencoder_);  // is refused before long work if it makes no sense
    const auto settings = settings_text(rows, world);
    make_checkpoint_folder(checkpoint_, world);
    auto state = earlier_state(checkpoint_, settings, world);
    pca_ = reduce::principal_components(rows, split_.trained, autoencoder_.code, world);
    const auto variance = reduce::mean_square(rows, split_.trained, pca_.mean, world);
    const auto held_out = reduce::mean_square(rows, split_.held_out, pca_.mean, world);
    auto hooks =
        checkpoint_hooks(checkpoint_, settings, signals, "reduce/checkpoint", provenance, world);
    const auto told = std::max<std::int64_t>(1, settings_.epochs / 10);
    hooks.epoch_done = [&, epoch = state ? state->epoch : 0](const std::string& line) mutable {
        base::log_event("epoch", line);
        if (++epoch != 1 && epoch % told != 0) return;
        const auto errors = reduce::errors_of(line);
        auto text = fmt::format("epoch {}: {:.2f} % of the variance is lost", epoch,
                                100 * errors.trained / variance);
        if (!split_.held_out.empty())
            text += fmt::format(", {:.2f} % of held-out rows", 100 * errors.held_out / held_out);
        base::log_info(text);
    };
    const auto training =
        reduce::train(autoencoder_, rows, split_, settings_, std::move(state), hooks, world);
    course_.emplace();
    course_->rows_held_out = std::ssize(split_.held_out);
    course_->best_epoch = training.best;
    for (const auto& errors : training.epochs) {
        course_->trained.push_back(errors.trained / variance);
        course_->held_out.push_back(errors.held_out / held_out);
    }
    reduce::set_code_frame(autoencoder_, rows, split_.trained, settings_.precision,
                           settings_.backend, world);
}

void AutoencoderMethod::write(store::ArtefactWriter& writer) const {
    reduce::write(writer, autoencoder_);
    if (!course_) return;
    const auto epochs = std::ssize(course_->trained);
    writer.write_whole<double>("history/trained", course_->trained, {epochs});
    writer.write_whole<double>("history/held_out", course_->held_out, {epochs});
    writer.attribute("epoch", course_->best_epoch);
    writer.attribute("rows_held_out", course_->rows_held_out);
    writer.attribute("reconstruction_error", course_->to_judge_by().autoencoder);
    writer.attribute("pca_reconstruction_error", course_->to_judge_by().pca);
    writer.attribute("trained_reconstruction_error", course_->of_trained.autoencoder);
    writer.attribute("pca_trained_reconstruction_error", course_->of_trained.pca);
}

std::string AutoencoderMethod::summary() const {
    const auto what =
        fmt::format("{} {} -> {} by an autoencoder", autoencoder_.input.elements(),
                    autoencoder_.reads_pictures() ? "pixels" : "columns", autoencoder_.code);
    if (!course_) return what + " read from " + shared_->fitted;
    const auto& judged = course_->to_judge_by();
    const auto rows = course_->rows_held_out > 0
                          ? fmt::format("{} held-out rows", course_->rows_held_out)
                          : std::string("the rows learnt");
    return fmt::format(
        "{}; it loses {:.2f} % of the variance of {}, as many principal components "
        "{:.2f} %",
        what, 100 * judged.autoencoder, rows, 100 * judged.pca);
}

}  // namespace

std::unique_ptr<ReduceMethod> make_autoencoder(std::shared_ptr<const SharedReduceOptions> shared) {
    return std::make_unique<AutoencoderMethod>(std::move(shared));
}

}  // namespace nanoatlas::jobs
