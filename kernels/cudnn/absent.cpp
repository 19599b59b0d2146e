// Stands in for the back end in builds without CUDA.
#include <stdexcept>

#include "kernels/cudnn/cudnn.hpp"

namespace nanoatlas::kernels::cudnn {

int device_count() {
    return 0;
}

std::unique_ptr<Backend> make_backend(Precision, const Ranks*) {
    throw std::runtime_error(
        "this build has no cuDNN back end (NANOATLAS_CUDNN was off at configuration); use "
        "--backend onednn");
}

}  // namespace nanoatlas::kernels::cudnn
