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
    /// With which the network was trained, of pixels in [0, 1]; ImageNet's by default. Three
    /// values, or one for a network that reads grey.
    std::vector<double> mean = {0.485, 0.456, 0.406};
    std::vector<double> std = {0.229, 0.224, 0.225};
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
