#include "nn/train/quantise.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/random.hpp"
#include "comm/distribution.hpp"
#include "nn/train/evaluation.hpp"

namespace nanoatlas::nn {

std::vector<std::int64_t> calibration_sample(std::span<const std::int64_t> rows) {
    constexpr std::int64_t most = 256;
    const auto count = std::min(most, std::ssize(rows));
    auto places = base::permutation(std::ssize(rows), base::Random(0, base::fnv1a("calibration")));
    places.resize(static_cast<std::size_t>(count));
    std::ranges::sort(places);
    std::vector<std::int64_t> sample;
    sample.reserve(places.size());
    for (const auto place : places) sample.push_back(rows[static_cast<std::size_t>(place)]);
    return sample;
}

Ranges quantise(Network& network, std::int64_t batch, const Inputs& inputs,
                std::span<const std::int64_t> rows, const comm::Communicator& comm) {
    VALIDATE(!rows.empty(),
             "there are no images to calibrate 8-bit integers with; give images, or use f32");
    const auto sample = calibration_sample(rows);
    // Chunks are the same for any number of ranks: the last bits of what a network computes may
    // depend on how many samples it is given.
    const auto chunk = std::min<std::int64_t>(batch, 4);
    const auto chunks = comm::row_block((std::ssize(sample) + chunk - 1) / chunk, comm);
    const auto first = std::min(chunks.first * chunk, std::ssize(sample));
    const auto end = std::min(chunks.end() * chunk, std::ssize(sample));
    const auto mine = std::span(sample).subspan(static_cast<std::size_t>(first),
                                                static_cast<std::size_t>(end - first));
    return network.quantise(
        [&](const Network::Images& use) {
            for_each_batch(chunk, inputs, mine,
                           [&](std::int64_t, const std::vector<float>& images) { use(images); });
        },
        comm);
}

}  // namespace nanoatlas::nn
