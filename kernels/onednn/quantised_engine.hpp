// What the kernels on 8-bit integers share. Includes dnnl.hpp: for .cpp files only.
#pragma once

#include <memory>

#include "kernels/onednn/engine.hpp"
#include "kernels/quantised.hpp"

namespace nanoatlas::kernels::onednn {

inline dnnl::memory::data_type data_type(Element element) {
    switch (element) {
        case Element::s8:
            return dnnl::memory::data_type::s8;
        case Element::u8:
            return dnnl::memory::data_type::u8;
        case Element::f32:
            break;
    }
    return dnnl::memory::data_type::f32;
}

/// As QuantisedBackend::weight_bounds.
WeightBounds weight_bounds(const ConvolutionShape& shape, Element x);
std::unique_ptr<QuantisedConvolution> make_quantised_convolution(
    const QuantisedConvolutionShape& shape, std::shared_ptr<Engine> engine);

}  // namespace nanoatlas::kernels::onednn
