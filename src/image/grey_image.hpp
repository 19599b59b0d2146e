// A decoded image, whatever the file was: grey samples, and the texts of its header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace nanoatlas::image {

/// An image that cannot be used: its message is the cause, without the path ("is truncated (...)").
/// It goes to the rejects; it never stops a run.
class Unusable : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Samples [height, width], row-major, 0 .. 2^bits - 1, black to white.
struct GreyImage {
    int width = 0, height = 0;
    int bits = 8;  ///< 8 or 16
    std::vector<std::uint16_t> samples{};

    const std::uint16_t* row(int y) const {
        return samples.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width);
    }
    std::uint16_t* row(int y) {
        return samples.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width);
    }
};

/// A private tag of a TIFF that holds text: 34118 Zeiss, 51023 Fibics, 34680 and 34682 FEI, 34683
/// ThermoFisher's XML, 270 the description.
struct HeaderText {
    int tag = 0;
    std::string text;  ///< UTF-8
};

struct Decoded {
    GreyImage image{};
    std::string format{};  ///< "TIFF", "JPEG", "PNG", "IDX"
    int bits_in_file = 8;
    std::vector<HeaderText> headers{};
};

}  // namespace nanoatlas::image
