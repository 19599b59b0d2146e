// What an autoencoder leaves unexplained, beside what principal components leave.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "reduce/autoencoder/encoding.hpp"
#include "reduce/autoencoder/rows.hpp"
#include "reduce/pca.hpp"

namespace nanoatlas::reduce {

/// As many principal components of the scaled rows as a code has numbers. Of many rows evenly
/// spread ones are taken, 20,000 at most and 2^26 values. Collective.
/// numbers: the rows that an autoencoder learns from
/// throws InputError if all of them are equal
Pca principal_components(const AutoencoderRows& rows, std::span<const std::int64_t> numbers,
                         std::int64_t count, const comm::Communicator& comm);

/// Mean square of the values of some rows less those of another one [elements]; NaN of no rows.
/// Collective. numbers: ascending
double mean_square(const AutoencoderRows& rows, std::span<const std::int64_t> numbers,
                   std::span<const double> from, const comm::Communicator& comm);

/// Shares of the variance of some rows: sum |x - x'|^2 / sum |x - mean|^2, x' what a row is put out
/// as, mean that of the principal components. 0 over 0 is 0.
struct Unexplained {
    double autoencoder = 0, pca = 0;
};
/// Collective. numbers: ascending
Unexplained unexplained(const Encoded& encoded, const Pca& pca, const AutoencoderRows& rows,
                        std::span<const std::int64_t> numbers, const comm::Communicator& comm);

}  // namespace nanoatlas::reduce
