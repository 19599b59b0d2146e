// Features of images from one or several layers of a network.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "nn/network.hpp"
#include "nn/train/inputs.hpp"
#include "nn/train/views.hpp"

namespace nanoatlas::nn {

enum class Pooling { off, on };  ///< means over a layer's pixels in place of them

class LayerFeatures {
  public:
    /// layers: "": the graph's features; else names by commas. Several are pooled always, and each
    /// one's part of a row is of unit length, so that wide layers don't outweigh narrow ones.
    /// throws InputError for a layer that the graph has not: lists those it has
    LayerFeatures(const Graph& graph, const std::string& layers, Pooling pooling);

    /// To be kept by the network.
    std::vector<std::string> names() const;
    /// The names by commas.
    std::string text() const;
    std::int64_t columns() const { return columns_; }

    /// The mean over the views of what these rows' images are in the layers: [rows, columns].
    /// rows: at most the network's batch. Not collective.
    std::vector<float> mean_over(const ViewSet& views, Network& network, ImageInputs& inputs,
                                 std::span<const std::int64_t> rows) const;

  private:
    struct Layer {
        std::string name;
        std::int64_t columns, pixels;  ///< pixels: that each column is the mean of
    };
    std::vector<Layer> layers_;
    std::int64_t columns_ = 0;
};

}  // namespace nanoatlas::nn
