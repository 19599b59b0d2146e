// Folds a stem for colour into one for grey, so that grey is read, moved and convolved once.
#pragma once

#include "nn/model_file.hpp"

namespace nanoatlas::nn {

/// With m, s the mean and standard deviation of channel c, a grey image x, shown to a colour
/// network as three equal channels, gives sum_c w_c * (x - m_c) / s_c. The folded network computes
/// w * (x - M) / S with w = S sum_c w_c / s_c; the rest, sum_c w_c (M - m_c) / s_c, is the same at
/// all pixels and goes into the stem's bias or, where there is none, into the running mean of the
/// norm behind it. That is exact wherever the kernel lies inside the image, and everywhere in
/// networks whose stem does not pad (SqueezeNet). Over the border, where the kernel meets zeros of
/// padding, taps outside should not have added their rest; M is the one that makes these rests
/// smallest (least squares over all taps). No effect on a grey model.
///
/// Measured on the 1,224 micrographs of sem-ncm, pooled features of EfficientNet-lite0, folded
/// against colour: relative distance 0.020 in the mean, 0.11 at most; 94 % of the images keep their
/// nearest neighbour; it has the right class for 90.2 % instead of 90.7 %. A stem has about 3 % of
/// a network's operations, of which folding saves two thirds.
void fold_to_grey(ModelFile& model);

}  // namespace nanoatlas::nn
