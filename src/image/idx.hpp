// IDX, the format of MNIST and Fashion-MNIST: many small images in one file, plain or gzipped.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace nanoatlas::image {

struct IdxImages {
    int count = 0, height = 0, width = 0;
    std::vector<std::uint8_t> samples;  ///< [count, height, width]
};

/// "…-images-idx3-ubyte" or "….idx3-ubyte", with or without ".gz"
bool is_idx_name(const std::string& name);
/// The file of labels that belongs to a file of images, by the names of MNIST; "" if there is none.
std::string idx_labels_of(const std::string& images_path);

/// Kept in memory while it is used, so that its images can be asked for one by one. Thread-safe.
/// throws Unusable if it is damaged
std::shared_ptr<const IdxImages> open_idx_images(const std::string& path);
std::vector<std::uint8_t> read_idx_labels(const std::string& path);

}  // namespace nanoatlas::image
