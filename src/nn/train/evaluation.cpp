#include "nn/train/evaluation.hpp"

#include <algorithm>
#include <cmath>

#include "comm/distribution.hpp"

namespace nanoatlas::nn {

void for_each_batch(std::int64_t batch, const Inputs& inputs, std::span<const std::int64_t> rows,
                    const UseInputs& use) {
    const auto count = static_cast<std::int64_t>(rows.size());
    const auto chunk = [&](std::int64_t first) {
        const auto length = std::clamp<std::int64_t>(count - first, 0, batch);
        return rows.subspan(static_cast<std::size_t>(std::min(first, count)),
                            static_cast<std::size_t>(length));
    };
    for (std::int64_t first = 0; first < count; first += batch) {
        inputs.will_need(chunk(first + batch));
        use(first, inputs.plain(chunk(first)));
    }
}

void forward_rows(Network& network, std::int64_t batch, const Inputs& inputs,
                  std::span<const std::int64_t> rows, const UseBatch& use) {
    for_each_batch(batch, inputs, rows, [&](std::int64_t first, const std::vector<float>& images) {
        use(first, network.forward(images));
    });
}

void softmax(std::span<float> logits, std::size_t classes) {
    for (std::size_t begin = 0; begin < logits.size(); begin += classes) {
        const auto row = logits.subspan(begin, classes);
        const float largest = *std::max_element(row.begin(), row.end());
        double sum = 0;
        for (auto& value : row) sum += value = std::exp(value - largest);
        for (auto& value : row) value = static_cast<float>(value / sum);
    }
}

std::vector<Judgement> judge_samples(Network& network, std::int64_t batch, const Inputs& inputs,
                                     const Samples& samples, const comm::Communicator& comm) {
    const auto block = comm::row_block(static_cast<std::int64_t>(samples.rows.size()), comm);
    const auto mine =
        std::span<const std::int64_t>(samples.rows)
            .subspan(static_cast<std::size_t>(block.first), static_cast<std::size_t>(block.count));
    const auto classes =
        static_cast<std::size_t>(network.graph().shape(network.graph().output()).elements());
    std::vector<Judgement> judgements;
    forward_rows(
        network, batch, inputs, mine, [&](std::int64_t first, std::span<const float> logits) {
            std::vector<float> batch_probabilities(logits.begin(), logits.end());
            softmax(batch_probabilities, classes);
            for (std::size_t i = 0; i < logits.size() / classes; ++i)
                judgements.push_back(
                    judge(std::span<const float>(batch_probabilities).subspan(i * classes, classes),
                          samples.labels[static_cast<std::size_t>(block.first + first) + i]));
        });
    return comm.all_gather(judgements);
}

}  // namespace nanoatlas::nn
