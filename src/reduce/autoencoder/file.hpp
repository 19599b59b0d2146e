// An autoencoder in embedding.h5, beside the embedding that it made.
#pragma once

#include "reduce/autoencoder/autoencoder.hpp"
#include "store/artefact.hpp"

namespace nanoatlas::reduce {

/// /tensors/<name> f32, /mean and /deviation f64; attributes input_shape, hidden, components.
/// Collective.
void write(store::ArtefactWriter& writer, const Autoencoder& autoencoder);

/// throws InputError if the file holds none, or one that no network can be
Autoencoder read_autoencoder(const store::ArtefactReader& file);

}  // namespace nanoatlas::reduce
