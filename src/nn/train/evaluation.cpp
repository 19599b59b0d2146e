#include "nn/train/evaluation.hpp"

#include <algorithm>
#include <cmath>

#include "comm/distribution.hpp"

namespace nanoatlas::nn {

namespace {

/// use(position of its first row, rows of a batch); the next ones are asked for before.
template <class Use>
void for_each_chunk(std::int64_t batch, const Inputs& inputs, std::span<const std::int64_t> rows,
                    const Use& use) {
    const auto count = static_cast<std::int64_t>(rows.size());
    const auto chunk = [&](std::int64_t first) {
        const auto length = std::clamp<std::int64_t>(count - first, 0, batch);
        return rows.subspan(static_cast<std::size_t>(std::min(first, count)),
                            static_cast<std::size_t>(length));
    };
    for (std::int64_t first = 0; first < count; first += batch) {
        inputs.will_need(chunk(first + batch));
        use(first, chunk(first));
    }
}

}  // namespace

void for_each_batch(std::int64_t batch, const Inputs& inputs, std::span<const std::int64_t> rows,
                    const UseInputs& use) {
    for_each_chunk(batch, inputs, rows,
                   [&](std::int64_t first, auto chunk) { use(first, inputs.plain(chunk)); });
}

void forward_rows(Network& network, std::int64_t batch, const Inputs& inputs,
                  std::span<const std::int64_t> rows, const UseBatch& use) {
    // Of a network in training they are at hand already; else each is looked at once.
    if (const auto* const pictures = inputs.pictures(); pictures && !network.takes_pictures())
        network.take_pictures({pictures->format(), batch}, nullptr, 0);
    if (network.takes_pictures()) {
        for_each_chunk(batch, inputs, rows, [&](std::int64_t first, auto chunk) {
            use(first, network.forward(inputs.pictures()->plain_pictures(chunk).batch()));
        });
        return;
    }
    for_each_batch(batch, inputs, rows, [&](std::int64_t first, const std::vector<float>& images) {
        use(first, network.forward(images));
    });
}

void softmax(std::span<float> logits, std::size_t classes, double temperature) {
    const auto inverse = static_cast<float>(1 / temperature);
    for (std::size_t begin = 0; begin < logits.size(); begin += classes) {
        const auto row = logits.subspan(begin, classes);
        const float largest = *std::max_element(row.begin(), row.end());
        double sum = 0;
        for (auto& value : row) sum += value = std::exp(inverse * (value - largest));
        for (auto& value : row) value = static_cast<float>(value / sum);
    }
}

std::vector<float> sample_logits(Network& network, std::int64_t batch, const Inputs& inputs,
                                 const Samples& samples, const comm::Communicator& comm) {
    const auto block = comm::row_block(std::ssize(samples.rows), comm);
    const auto mine =
        std::span<const std::int64_t>(samples.rows)
            .subspan(static_cast<std::size_t>(block.first), static_cast<std::size_t>(block.count));
    std::vector<float> all;
    forward_rows(network, batch, inputs, mine, [&](std::int64_t, std::span<const float> logits) {
        all.insert(all.end(), logits.begin(), logits.end());
    });
    return all;
}

std::vector<Judgement> judge_logits(std::span<const float> logits, double temperature,
                                    const Samples& samples, const Taxonomy::Level* level,
                                    const comm::Communicator& comm) {
    const auto block = comm::row_block(std::ssize(samples.rows), comm);
    const auto rows = static_cast<std::size_t>(block.count);
    const auto classes = rows > 0 ? logits.size() / rows : 0;
    std::vector<float> probabilities(logits.begin(), logits.end());
    softmax(probabilities, classes, temperature);
    std::vector<Judgement> judgements;
    for (std::size_t i = 0; i < rows; ++i) {
        const auto row = std::span<const float>(probabilities).subspan(i * classes, classes);
        const auto label = samples.labels[static_cast<std::size_t>(block.first) + i];
        if (level == nullptr) {
            judgements.push_back(judge(row, label, samples.inner));
            continue;
        }
        const auto truth = level->of_label[static_cast<std::size_t>(label)];
        if (truth >= 0) judgements.push_back(judge(level->probabilities(row), truth));
    }
    return comm.all_gather(judgements);
}

std::vector<Judgement> judge_samples(Network& network, std::int64_t batch, const Inputs& inputs,
                                     const Samples& samples, const comm::Communicator& comm) {
    return judge_logits(sample_logits(network, batch, inputs, samples, comm), 1, samples, nullptr,
                        comm);
}

}  // namespace nanoatlas::nn
