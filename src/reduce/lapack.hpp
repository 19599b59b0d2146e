// How LAPACK and BLAS are called here.
#pragma once

#include <lapacke.h>

#include <exception>

#include "base/check.hpp"

namespace nanoatlas::reduce {

inline void check(lapack_int status, const char* routine) {
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

}  // namespace nanoatlas::reduce
