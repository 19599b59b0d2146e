// From a file of weights to a model of ours.
#pragma once

#include <string>
#include <vector>

#include "nn/import/fit.hpp"
#include "nn/model_file.hpp"

namespace nanoatlas::nn {

struct ImportOptions {
    std::string arch;
    std::vector<std::string> classes = {};  ///< empty: "class_0", ... as many as the file has
    /// With which the network was trained, of pixels in [0, 1]. Three values, or one for a network
    /// that reads grey. Empty: as torchvision's weights, ImageNet's statistics, but for Inception.
    std::vector<double> mean = {}, std = {};
    int size = 0;          ///< side of the input [pixels]; 0: as published
    bool grey = true;      ///< fold a stem for colour to grey
    bool partial = false;  ///< draw what the file lacks
};

struct Imported {
    ModelFile model;
    Fit fit;  ///< without its tensors, which are the model's
};

/// Not collective. throws InputError if the weights cannot be read or do not fit: lists why
Imported import_model(const std::string& from, const ImportOptions& options);

}  // namespace nanoatlas::nn
