// A graph compiled for a number of samples: stages in order, their buffers laid out in one arena.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "nn/fusion.hpp"
#include "nn/parameters.hpp"
#include "nn/stage.hpp"

namespace nanoatlas::nn {

struct PlanOptions {
    std::int64_t samples;
    bool training;              ///< wired backward
    std::vector<bool> trained;  ///< by node: uses the batch's statistics, gets gradients
    std::vector<bool> kept;     ///< by node: its value stays until the end
};

class Plan {
  public:
    /// throws InputError if training is wanted and nothing is trained
    Plan(const Graph& graph, const Fusion& fusion, const ParameterLayout& layout,
         const PlanOptions& options, kernels::Backend& backend);

    std::int64_t samples() const { return samples_; }
    bool is_training() const { return !outputs_.empty(); }
    std::int64_t arena_bytes() const { return arena_bytes_; }
    const std::vector<std::int64_t>& offsets() const { return offsets_; }
    int input() const { return value(0); }
    int value(int node) const { return values_[static_cast<std::size_t>(node)]; }
    /// In training: logits whose weighted losses add up, the network's own first.
    struct Output {
        int node;
        double weight;
        int gradient;  ///< buffer into which the loss writes its gradient, before backward()
    };
    const std::vector<Output>& outputs() const { return outputs_; }
    /// How a node's value lies in its buffer.
    const kernels::ImageShape& image(int node) const {
        return images_[static_cast<std::size_t>(node)];
    }

    void pack(const float* parameters, const float* buffers);
    void forward(const Run& run);
    /// finished(n): the gradients of the first n parameters are final.
    void backward(const Run& run, const std::function<void(std::int64_t)>& finished);

  private:
    void wire_backward(const Graph& graph, const Fusion& fusion, Wiring& wiring);
    bool runs(const Stage& stage) const { return samples_ > 0 || stage.is_collective(); }

    std::int64_t samples_;
    std::vector<std::unique_ptr<Stage>> stages_;
    std::vector<int> nodes_;              // by stage: Group::first
    std::vector<std::int64_t> finished_;  // by stage: parameters whose gradients it completes
    std::vector<int> values_;             // by node: its buffer, -1 for what was fused away
    std::vector<kernels::ImageShape> images_;
    std::vector<std::int64_t> offsets_;
    std::int64_t arena_bytes_ = 0;
    std::vector<Output> outputs_;
};

}  // namespace nanoatlas::nn
