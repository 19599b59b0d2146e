#include "jobs/train_options.hpp"

#include "base/check.hpp"
#include "nn/train/rejection.hpp"
#include "nn/zoo/zoo.hpp"

namespace nanoatlas::jobs {
namespace {

using base::OptionTable;

void describe_data(OptionTable& table, TrainOptions& options) {
    auto& train = options.fit.train;
    table.add("corpus", options.corpus, "corpus.h5 to learn from").required();
    table.add("output", options.output, "model.h5 to write").required();
    table.add("arch", options.arch, "network").choices(nn::zoo::names());
    table.add("init", options.init,
              "model.h5 to begin with; auto: ImageNet's weights for efficientnet_lite0, else none");
    table
        .add("old-classes", options.old_classes,
             "classes of --init that the corpus lacks; auto: kept if the corpus has any of its "
             "others")
        .choices({"auto", "keep", "drop"});
    table.add("freeze", options.fit.freeze, "layers to leave alone: none, backbone or to:LAYER");
    table.add("unfreeze-every", train.unfreeze_every,
              "epochs after which one more block is trained, from the last one on; 0: all from the "
              "beginning");
    table.add("size", options.size,
              "side of the network's input [pixels]; 0: the model's, else "
              "the corpus's up to the published one");
    table.add("epochs", train.epochs, "passes over the training part");
    table.add("batch", train.batch, "images of a step, over all ranks");
    table.add("accumulate", train.accumulate,
              "parts of a step, one after the other: so many times less memory");
    table.add("sampling", options.sampling, "an epoch sees each image once, or each class as often")
        .choices({"all", "balanced"});
    table
        .add("augment", options.augment,
             "vary the training images; auto: unless the backbone is frozen; upright: not "
             "turned, only mirrored")
        .choices({"auto", "on", "upright", "off"});
    table.add("crop", options.crop,
              "augmentation shows a part of the image, magnified: its side over the image's, at "
              "least; 1: all of it");
    table.add("mixup", train.mixup,
              "blend images in pairs, by shares from Beta(X, X), such as 0.2; 0: don't");
}

void describe_steps(OptionTable& table, TrainOptions& options) {
    auto& train = options.fit.train;
    table.add("optimizer", options.optimizer, "how weights are updated").choices({"sgd", "adamw"});
    table.add("lr", options.rate,
              "highest learning rate; 0: 0.001 for adamw, batch/256 * 0.1 for "
              "sgd");
    table.add("find-lr", options.find_rate, "only test learning rates, and suggest one")
        .volatile_option();
    table.add("layer-decay", train.layer_decay,
              "learning rate of a block over that of the one behind it, such as 0.8");
    table.add("schedule", options.schedule, "learning rate over the steps")
        .choices({"cosine", "onecycle", "constant"});
    table.add("warmup", train.warmup, "share of the steps in which the rate rises");
    table.add("weight-decay", train.weight_decay, "of weights; never of biases and norms");
    table.add("clip", train.optimizer.clip, "longest gradient, by its 2-norm; 0: any");
    table.add("label-smoothing", train.label_smoothing, "share of each target spread evenly");
    table.add("class-weights", options.class_weights, "rare classes count more");
    table.add("sync-bn", options.sync_bn, "batch norm over the images of all ranks");
    add_network_options(table, options.network, "", {"f32", "bf16"});
    table.add("seed", train.seed, "of all random numbers");
}

void describe_result(OptionTable& table, TrainOptions& options) {
    auto& train = options.fit.train;
    table.add("ema", train.average,
              "decay of the weights' moving average, which is evaluated and written, such as "
              "0.999; 0: the weights themselves are");
    table.add("keep", options.keep, "epoch whose weights are written, by validation accuracy")
        .choices({"best", "last"});
    table.add("keep-best", train.keep_best,
              "epochs that are written, the next best ones as OUTPUT.2.h5, OUTPUT.3.h5, ...");
    table.add("target-precision", options.target_precision,
              "of answers; what is less sure than the threshold chosen for it on the validation "
              "part is none of these; 0: no threshold");
    table.add("patience", train.patience,
              "epochs without a better one after which training ends; 0: never");
    add_checkpoint_options(table, options.checkpoint, "",
                           "checkpoint.h5, metrics.jsonl and curves.html");
}

void check_numbers(const TrainOptions& options) {
    const auto& train = options.fit.train;
    VALIDATE(train.label_smoothing >= 0 && train.label_smoothing < 1,
             "--label-smoothing {} is not in [0, 1)", train.label_smoothing);
    VALIDATE(train.warmup >= 0 && train.warmup < 1, "--warmup {} is not in [0, 1)", train.warmup);
    VALIDATE(options.size >= 0 && options.rate >= 0 && train.weight_decay >= 0,
             "--size, --lr and --weight-decay cannot be negative");
    VALIDATE(train.optimizer.clip >= 0 && train.mixup >= 0 && train.unfreeze_every >= 0 &&
                 train.patience >= 0,
             "--clip, --mixup, --unfreeze-every and --patience cannot be negative");
    VALIDATE(train.average >= 0 && train.average < 1, "--ema {} is not in [0, 1)", train.average);
    VALIDATE(train.layer_decay > 0 && train.layer_decay <= 1, "--layer-decay {} is not in (0, 1]",
             train.layer_decay);
    VALIDATE(train.keep_best >= 1 && (train.keep_best == 1 || options.keep == "best"),
             "--keep-best {} is below 1, or --keep last says that none is chosen", train.keep_best);
    nn::check_target_precision(options.target_precision);
}

}  // namespace

base::OptionTable describe(TrainOptions& options) {
    OptionTable table("train", "a network learns the labelled images of a corpus");
    describe_data(table, options);
    describe_steps(table, options);
    describe_result(table, options);
    return table;
}

void complete(TrainOptions& options) {
    check_numbers(options);
    auto& train = options.fit.train;
    train.optimizer.kind = nn::parse_optimizer(options.optimizer);
    train.schedule = nn::parse_schedule(options.schedule);
    train.sampling = nn::parse_sampling(options.sampling);
    const bool adamw = train.optimizer.kind == nn::OptimizerKind::adamw;
    train.rate = options.rate > 0 ? options.rate
                 : adamw          ? 1e-3
                                  : 0.1 * static_cast<double>(train.batch) / 256;
    train.choice = options.keep == "best" ? nn::Choice::best : nn::Choice::last;
    options.fit.precision = nn::precision_of(options.network.precision);
    options.fit.backend = nn::backend_kind(options.network.backend);
    options.fit.sync_batch_norm = options.sync_bn;
    const bool frozen = options.fit.freeze == "backbone";
    if (options.augment == "off" || (options.augment == "auto" && frozen))
        options.fit.augmentation.reset();
    else
        options.fit.augmentation->orientations = options.augment == "upright" ? 2 : 8;
    VALIDATE(options.crop > 0 && options.crop <= 1,
             "--crop {} is no share of a side; give a number above 0, at most 1", options.crop);
    if (options.fit.augmentation) options.fit.augmentation->smallest_crop = options.crop;
    complete(options.checkpoint, options.output);
}

}  // namespace nanoatlas::jobs
