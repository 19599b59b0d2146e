// A map of the rows of a matrix in which near rows lie near each other: t-SNE.
//
// van der Maaten, Hinton, J. Mach. Learn. Res. 9 (2008) 2579; from exact nearest neighbours and
// with repulsion by a tree as in van der Maaten, ibid. 15 (2014) 3221. Begun with principal
// components (Kobak, Berens, Nat. Commun. 10 (2019) 5416), at the learning rate of Belkina et al.,
// ibid. 5415.
#pragma once

#include <cstdint>

#include "reduce/enhance/step.hpp"
#include "reduce/tsne/gradient.hpp"

namespace nanoatlas::reduce {

struct TsneOptions {
    int components = 2;     ///< 2 or 3
    double perplexity = 0;  ///< 1 or more; 0: 30, less where there are few rows
    int iterations = 750;   ///< the first 250 with exaggeration, 12
    double theta = 0.5;     ///< 0: all pairs; at most 0.5 (kernels/kokkos/repulsion.hpp)
    std::uint64_t seed = 0;
};

struct Tsne {
    store::Matrix<float> embedding;  ///< [N, components], centred
    double perplexity = 0;
    double divergence = 0;  ///< of the map from the affinities, Kullback and Leibler's [nats]
};

/// The perplexity, and how many neighbours it takes: k = 3 perplexity, below N.
/// throws InputError if options are out of range, or the rows are too few: says what would do
struct TsneNeighbours {
    double perplexity;
    std::int64_t k;
};
TsneNeighbours tsne_neighbours(const TsneOptions& options, std::int64_t rows);

/// Collective; the same bits on any number of ranks and threads. Every rank holds the whole map.
///
/// points   where they begin (start.hpp)
/// rows     this rank's
/// nearest  tsne_neighbours().k for each row
/// throws   InputError as above
Tsne fit_tsne(MapPoints points, const comm::RowBlock& rows, const NearestRows& nearest,
              const TsneOptions& options, const comm::Communicator& comm);

/// [rows of this rank]: which share of the k nearest of a row are among the k nearest in the map.
/// map: as many or more of each row
std::vector<float> kept_neighbours(const NearestRows& nearest, const NearestRows& map);

}  // namespace nanoatlas::reduce
