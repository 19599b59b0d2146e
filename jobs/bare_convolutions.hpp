// The ceiling of a network: its convolutions and linear layers alone.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "kernels/cnn.hpp"
#include "nn/graph.hpp"

namespace nanoatlas::jobs {

/// Each with memory of its own size, nothing else.
class BareConvolutions {
  public:
    BareConvolutions(const nn::Graph& graph, kernels::Precision precision, std::int64_t samples,
                     bool training);

    void run();
    /// Seconds of each layer, the least of some runs, by its node.
    std::map<int, double> seconds(int runs);

  private:
    struct Layer {
        int node;
        kernels::ConvolutionShape shape;
        std::unique_ptr<kernels::Convolution> primitive;
    };

    kernels::ConvolutionShape shape_of(const nn::Graph& graph, const nn::Node& node,
                                       std::int64_t samples) const;
    void add(int node, const kernels::ConvolutionShape& shape);
    void run(Layer& layer);
    void grow(kernels::Memory& memory, std::int64_t& bytes, std::int64_t elements);

    std::unique_ptr<kernels::Backend> backend_;
    bool training_;
    std::vector<Layer> layers_;
    kernels::Memory in_, out_;
    std::int64_t in_bytes_ = 0, out_bytes_ = 0;
    std::vector<float> gradient_;
};

/// Multiplications and additions of a convolution or linear layer for one sample, one pass forward.
double operations(const nn::Graph& graph, const nn::Node& node);

}  // namespace nanoatlas::jobs
