#include "reduce/autoencoder/code_frame.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "reduce/autoencoder/encoding.hpp"
#include "reduce/eigen.hpp"

namespace nanoatlas::reduce {
namespace {

using Values = std::vector<double>;

/// Row-major [rows, columns] of that function.
template <class Function>
Values make_matrix(std::size_t rows, std::size_t columns, const Function& element) {
    Values matrix(rows * columns);
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < columns; ++j) matrix[i * columns + j] = element(i, j);
    return matrix;
}

/// a [rows, inner] . b [inner, columns]
Values product(const Values& a, const Values& b, std::size_t inner) {
    const auto rows = a.size() / inner, columns = b.size() / inner;
    Values result(rows * columns);
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t k = 0; k < inner; ++k)
            for (std::size_t j = 0; j < columns; ++j)
                result[i * columns + j] += a[i * inner + k] * b[k * columns + j];
    return result;
}

/// Of codes z and rows x.
struct Moments {
    Values mean;        ///< of z [k]
    Values covariance;  ///< of z with itself [k, k]
    Values with_rows;   ///< of z with x [k, D]
};

Moments moments_of(const Autoencoder& autoencoder, const AutoencoderRows& rows,
                   std::span<const std::int64_t> numbers, nn::Precision precision,
                   nn::BackendKind backend, const comm::Communicator& comm) {
    constexpr std::int64_t batch = 64;
    nn::Network network(graph_of(autoencoder),
                        {.batch = batch, .precision = precision, .backend = backend}, comm);
    network.load(autoencoder.tensors);
    const auto k = static_cast<std::size_t>(autoencoder.code);
    const auto width = static_cast<std::size_t>(autoencoder.input.elements());
    Values z_sum(k), x_sum(width), zz(k * k), zx(k * width);
    pass_own(network, batch, rows, numbers,
             [&](std::span<const float>, std::span<const float> inputs) {
                 const auto codes = network.value("code");
                 for (std::size_t row = 0; row < codes.size() / k; ++row) {
                     const float* const z = codes.data() + row * k;
                     const float* const x = inputs.data() + row * width;
                     for (std::size_t j = 0; j < width; ++j) x_sum[j] += x[j];
                     for (std::size_t a = 0; a < k; ++a) {
                         const double za = z[a];
                         z_sum[a] += za;
                         for (std::size_t b = 0; b < k; ++b) zz[a * k + b] += za * z[b];
                         for (std::size_t j = 0; j < width; ++j) zx[a * width + j] += za * x[j];
                     }
                 }
             });
    for (auto* const sums : {&z_sum, &x_sum, &zz, &zx}) comm.sum(std::span<double>(*sums));
    const auto n = static_cast<double>(numbers.size());
    const auto covariance = [&](const Values& products, const Values& other) {
        return make_matrix(k, other.size(), [&](std::size_t a, std::size_t j) {
            return products[a * other.size() + j] / n - z_sum[a] / n * (other[j] / n);
        });
    };
    Moments moments{
        .mean = z_sum, .covariance = covariance(zz, z_sum), .with_rows = covariance(zx, x_sum)};
    for (auto& value : moments.mean) value /= n;
    return moments;
}

/// All eigenpairs, values no smaller than 1e-8 of the largest, so that they can be divided by.
EigenPairs eigenpairs(const Values& matrix, std::size_t n) {
    auto pairs = leading_eigenpairs_lapack(matrix, static_cast<std::int64_t>(n),
                                           static_cast<std::int64_t>(n));
    const double least = std::max(1e-8 * pairs.values[0], 1e-30);
    for (auto& value : pairs.values) value = std::max(value, least);
    return pairs;
}

/// codes' = there . (codes - mean), codes = back . codes' + mean
struct Frame {
    Values there, back;  ///< [k, k]
};

Frame frame_of(const Moments& moments) {
    const auto k = moments.mean.size(), width = moments.with_rows.size() / k;
    // Codes without correlations, of variance 1: their covariance with the rows is the linear map.
    const auto codes = eigenpairs(moments.covariance, k);
    const auto white = make_matrix(k, k, [&](std::size_t i, std::size_t j) {
        return codes.vectors[i * k + j] / std::sqrt(codes.values[i]);
    });
    const auto map = product(white, moments.with_rows, k);
    const auto squares = make_matrix(k, k, [&](std::size_t i, std::size_t j) {
        double sum = 0;
        for (std::size_t d = 0; d < width; ++d) sum += map[i * width + d] * map[j * width + d];
        return sum;
    });
    auto axes = eigenpairs(squares, k);
    // As in PCA an axis' entry of the largest magnitude among the columns is positive.
    const auto directions = product(axes.vectors, map, k);
    for (std::size_t i = 0; i < k; ++i) {
        const auto direction = std::span(directions).subspan(i * width, width);
        const auto largest =
            std::ranges::max_element(direction, {}, [](double value) { return std::abs(value); });
        if (*largest < 0)
            for (std::size_t j = 0; j < k; ++j) axes.vectors[i * k + j] *= -1;
    }
    const auto stretched = make_matrix(k, k, [&](std::size_t i, std::size_t j) {
        return std::sqrt(axes.values[i]) * axes.vectors[i * k + j];
    });
    const auto shrunk = make_matrix(k, k, [&](std::size_t i, std::size_t j) {
        return axes.vectors[j * k + i] / std::sqrt(axes.values[j]);
    });
    const auto coloured = make_matrix(k, k, [&](std::size_t i, std::size_t j) {
        return codes.vectors[j * k + i] * std::sqrt(codes.values[j]);
    });
    return {.there = product(stretched, white, k), .back = product(coloured, shrunk, k)};
}

Values in_f64(const nn::HostTensor& tensor) {
    return {tensor.values.begin(), tensor.values.end()};
}

void assign(nn::HostTensor& tensor, const Values& values) {
    tensor.values.assign(values.begin(), values.end());
}

}  // namespace

void set_code_frame(Autoencoder& autoencoder, const AutoencoderRows& rows,
                    std::span<const std::int64_t> numbers, nn::Precision precision,
                    nn::BackendKind backend, const comm::Communicator& comm) {
    const auto moments = moments_of(autoencoder, rows, numbers, precision, backend, comm);
    const auto k = moments.mean.size();
    Frame frame{.there = Values(k * k), .back = Values(k * k)};
    comm.on_root([&] { frame = frame_of(moments); });
    comm.broadcast(std::span<double>(frame.there));
    comm.broadcast(std::span<double>(frame.back));

    auto& tensors = autoencoder.tensors;
    const auto behind = layer_behind_code(autoencoder);
    auto &weight = tensors.at("code.weight"), &bias = tensors.at("code.bias"),
         &next_weight = tensors.at(behind + ".weight"), &next_bias = tensors.at(behind + ".bias");
    auto shift = in_f64(bias), next_shift = in_f64(next_bias);
    const auto moved = product(in_f64(next_weight), moments.mean, k);
    for (std::size_t i = 0; i < k; ++i) shift[i] -= moments.mean[i];
    for (std::size_t i = 0; i < moved.size(); ++i) next_shift[i] += moved[i];
    assign(weight, product(frame.there, in_f64(weight), k));
    assign(bias, product(frame.there, shift, k));
    assign(next_weight, product(in_f64(next_weight), frame.back, k));
    assign(next_bias, next_shift);
}

}  // namespace nanoatlas::reduce
