#include "reduce/autoencoder/encoding.hpp"

#include <algorithm>
#include <numeric>

#include "base/progress.hpp"
#include "reduce/autoencoder/loss.hpp"

namespace nanoatlas::reduce {

std::span<const std::int64_t> own_part(std::span<const std::int64_t> numbers,
                                       const comm::RowBlock& block) {
    const auto begin = std::ranges::lower_bound(numbers, block.first);
    return {begin, std::ranges::lower_bound(numbers, block.end())};
}

void pass_own(nn::Network& network, std::int64_t batch, const AutoencoderRows& rows,
              std::span<const std::int64_t> numbers, const UseOutputs& use) {
    const auto mine = own_part(numbers, rows.block());
    for (std::size_t at = 0; at < mine.size(); at += static_cast<std::size_t>(batch)) {
        const auto count = std::min(static_cast<std::size_t>(batch), mine.size() - at);
        const auto inputs = rows.own(mine.subspan(at, count));
        use(network.forward(inputs), inputs);
    }
}

Encoded encode(const Autoencoder& autoencoder, const AutoencoderRows& rows, nn::Precision precision,
               nn::BackendKind backend, const comm::Communicator& comm) {
    const auto elements = autoencoder.input.elements();
    const auto batch = std::clamp<std::int64_t>((1 << 20) / elements, 1, 256);
    nn::Network network(graph_of(autoencoder),
                        {.batch = batch, .precision = precision, .backend = backend}, comm);
    network.load(autoencoder.tensors);
    const auto& block = rows.block();
    Encoded encoded{.codes = {.rows = block, .columns = autoencoder.code, .values = {}},
                    .squared_error = {}};
    std::vector<std::int64_t> all(static_cast<std::size_t>(block.count));
    std::iota(all.begin(), all.end(), block.first);
    base::Progress progress("reduce/encode", block.count, "rows");
    pass_own(
        network, batch, rows, all,
        [&](std::span<const float> outputs, std::span<const float> inputs) {
            const auto codes = network.value("code");
            encoded.codes.values.insert(encoded.codes.values.end(), codes.begin(), codes.end());
            const auto errors = squared_errors(outputs, inputs, elements);
            encoded.squared_error.insert(encoded.squared_error.end(), errors.begin(), errors.end());
            progress.advance(std::ssize(errors));
        });
    return encoded;
}

}  // namespace nanoatlas::reduce
