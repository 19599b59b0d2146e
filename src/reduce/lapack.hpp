// How LAPACK and BLAS are called here: errors, threads.
#pragma once

#include <cblas.h>
#include <lapacke.h>

#include <algorithm>
#include <exception>

#include "base/check.hpp"

namespace nanoatlas::reduce {

inline void check_lapack(lapack_int status, const char* routine) {
    ENSURE(status == 0, "LAPACK's {} failed (status {}); is the matrix finite?", routine, status);
}

/// BLAS and LAPACK sum in another order on another number of threads; called by one thread of
/// several they take no more than that.
template <class Work>
void on_one_thread(const Work& work) {
    std::exception_ptr error;
#pragma omp parallel
#pragma omp single
    try {
        work();
    } catch (...) {  // must not leave the parallel region
        error = std::current_exception();
    }
    if (error) std::rethrow_exception(error);
}

/// out [rows, n] = a [rows, inner] b [inner, n], each of rows so long.
inline void multiply(int rows, int n, int inner, const double* a, int a_length, const double* b,
                     int b_length, double* out, int out_length) {
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, n, inner, 1.0, a, a_length, b,
                b_length, 0.0, out, out_length);
}
inline void multiply(int rows, int n, int inner, const float* a, int a_length, const float* b,
                     int b_length, float* out, int out_length) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, n, inner, 1.0F, a, a_length, b,
                b_length, 0.0F, out, out_length);
}

/// out [rows, n] = a [rows, inner] b [inner, n] by strips of columns, each by one thread: the same
/// bits on any number of threads.
template <class T>
void multiply_strips(int rows, int n, int inner, const T* a, const T* b, T* out) {
    constexpr int strip = 256;
#pragma omp parallel for schedule(dynamic)
    for (int first = 0; first < n; first += strip)
        multiply(rows, std::min(strip, n - first), inner, a, inner, b + first, n, out + first, n);
}

}  // namespace nanoatlas::reduce
