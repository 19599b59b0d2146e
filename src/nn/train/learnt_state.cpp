#include "nn/train/learnt_state.hpp"

#include <algorithm>

namespace nanoatlas::nn {

void save_learnt(const Network& network, const Optimizer& optimizer, TrainingState& state) {
    state.tensors = network.tensors();
    state.optimizer_steps = optimizer.steps();
    state.optimizer.assign(optimizer.state().size(), {});
    for (std::size_t i = 0; i < optimizer.state().size(); ++i) {
        const auto values = optimizer.state()[i].on_host();
        for (const auto& slot : network.slots())
            if (!slot.frozen) {
                const auto begin = values.begin() + slot.offset;
                state.optimizer[i][slot.name] = {.shape = slot.shape,
                                                 .values = {begin, begin + slot.size}};
            }
    }
}

void load_learnt(const TrainingState& state, Network& network, Optimizer& optimizer) {
    network.load(state.tensors);
    optimizer.set_steps(state.optimizer_steps);
    for (std::size_t i = 0; i < optimizer.state().size(); ++i) {
        const auto values = optimizer.state()[i].changed_by_host();
        const auto& known = state.optimizer.at(i);
        for (const auto& slot : network.slots()) {
            const auto buffer = known.find(slot.name);
            if (!slot.frozen && buffer != known.end())
                std::copy_n(buffer->second.values.begin(), slot.size, values.begin() + slot.offset);
        }
    }
}

}  // namespace nanoatlas::nn
