#include "store/hdf5.hpp"

#include <cstdlib>
#include <mutex>

namespace nanoatlas::store::hdf5 {

void silence_errors() {
    static std::once_flag once;
    std::call_once(once, [] {
        // Artefacts are renamed into place when whole, so readers need no locks, and network file
        // systems often have none.
        setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);
        H5open();
        H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    });
}

std::string last_error() {
    std::string innermost;
    H5Ewalk2(
        H5E_DEFAULT, H5E_WALK_UPWARD,
        [](unsigned depth, const H5E_error2_t* error, void* text) -> herr_t {
            if (depth == 0 && error->desc != nullptr)
                *static_cast<std::string*>(text) = error->desc;
            return 0;
        },
        &innermost);
    return innermost.empty() ? "HDF5 gave no cause" : innermost;
}

Datatype string_type(std::size_t length) {
    Datatype type(H5Tcopy(H5T_C_S1));
    H5Tset_size(type.id(), length == 0 ? 1 : length);
    H5Tset_cset(type.id(), H5T_CSET_UTF8);
    H5Tset_strpad(type.id(), H5T_STR_NULLPAD);
    return type;
}

}  // namespace nanoatlas::store::hdf5
