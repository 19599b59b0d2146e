// Rounds the weights of all layers of a network that are computed on integers.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nn/convolution_tensors.hpp"
#include "nn/quantised_plan.hpp"

namespace nanoatlas::nn {

class WeightRounder {
  public:
    /// wiring       for one sample
    /// on_integers  by Group::first
    /// formats      by storage; must outlive this
    WeightRounder(const Fusion& fusion, const Wiring& wiring, const std::vector<bool>& on_integers,
                  const std::vector<ChannelFormat>& formats);
    /// What Network::observe() hands over.
    void add(const std::string& node, std::span<const float> values);
    /// By Group::first; the same on any number of ranks. Collective.
    std::map<int, RoundedWeights> round(const float* parameters, const float* buffers,
                                        const kernels::QuantisedBackend& backend,
                                        const comm::Communicator& comm);

  private:
    struct Layer {
        int node;
        std::string input;
        kernels::ConvolutionShape shape;
        ConvolutionTensors tensors;
        Moments moments;
    };
    std::vector<std::unique_ptr<Layer>> layers_;
};

}  // namespace nanoatlas::nn
