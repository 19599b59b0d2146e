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

/// out [rows, n] = a [rows, inner] b [inner, n] by strips of columns, each by one thread: the same
/// bits on any number of threads.
inline void multiply_strips(int rows, int n, int inner, const double* a, const double* b,
                            double* out) {
    constexpr int strip = 256;
#pragma omp parallel for schedule(dynamic)
    for (int first = 0; first < n; first += strip)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, std::min(strip, n - first),
                    inner, 1.0, a, inner, b + first, n, 0.0, out + first, n);
}

}  // namespace nanoatlas::reduce
