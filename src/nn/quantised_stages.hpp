// Stages on 8-bit integers. They are given their buffers and formats; forward only.
#pragma once

#include <memory>
#include <vector>

#include "kernels/quantised.hpp"
#include "nn/channel_format.hpp"
#include "nn/stage.hpp"
#include "nn/weight_rounding.hpp"

namespace nanoatlas::nn {

/// A value as a stage reads or writes it.
struct Operand {
    int buffer = -1;
    const ChannelFormat* format = nullptr;
    kernels::ImageShape image;
};

/// x becomes y, which has another format.
std::unique_ptr<Stage> make_conversion_stage(const Operand& x, const Operand& y,
                                             kernels::QuantisedBackend& backend);
/// addend: without a buffer if there is none, else it and y are f32
std::unique_ptr<Stage> make_quantised_convolution_stage(const Group& group,
                                                        const RoundedWeights& weights,
                                                        const Operand& x, const Operand& addend,
                                                        const Operand& y, const Wiring& wiring,
                                                        kernels::QuantisedBackend& backend);
/// A batch norm without an addend.
std::unique_ptr<Stage> make_quantised_norm_stage(const Group& group, const Operand& x,
                                                 const Operand& y, const Wiring& wiring,
                                                 kernels::QuantisedBackend& backend);
/// x and y of one format.
std::unique_ptr<Stage> make_quantised_pool_stage(const Group& group, const Operand& x,
                                                 const Operand& y, const Wiring& wiring,
                                                 kernels::QuantisedBackend& backend);
/// All of one format.
std::unique_ptr<Stage> make_quantised_concat_stage(std::vector<Operand> parts, const Operand& y,
                                                   kernels::QuantisedBackend& backend);

}  // namespace nanoatlas::nn
