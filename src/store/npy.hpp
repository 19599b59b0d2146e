// NumPy's .npy files: header and data, read in blocks of rows; format versions 1 to 3.
//
// Nothing here is collective. Lengths are checked against the file's size before anything is
// allocated. numpy.lib.format,
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nanoatlas::store {

struct NpyHeader {
    char kind = 'f';       ///< b, i, u or f, as in NumPy
    int item_size = 4;     ///< bytes
    bool swapped = false;  ///< bytes in the other order than this machine's
    bool fortran_order = false;
    std::vector<std::int64_t> shape;  ///< empty: one number
    std::int64_t data_offset = 0;     ///< bytes

    bool is_float() const { return kind == 'f'; }
    /// Whether float holds every value of this type.
    bool fits_float() const { return item_size <= (is_float() ? 4 : 2); }
    /// 1 for one number, which counts as one row.
    std::int64_t rows() const { return shape.empty() ? 1 : shape.front(); }
    /// Values in a row: the product of all lengths but the first.
    std::int64_t row_length() const;
};

/// throws InputError if the file cannot be read, is no .npy, is shorter than its header says, or
/// holds something else than numbers (f2 f4 f8, i1 to i8, u1 to u8, b1)
NpyHeader read_npy_header(const std::string& path);

/// Rows [first, first + count), row-major whatever the order in the file, converted to T: float,
/// double or std::int64_t (fractions are cut off). throws InputError if out of range
template <class T>
std::vector<T> read_npy_rows(const std::string& path, const NpyHeader& header, std::int64_t first,
                             std::int64_t count);
/// The same in place of what values hold, whose memory is used again.
template <class T>
void read_npy_rows_into(const std::string& path, const NpyHeader& header, std::int64_t first,
                        std::int64_t count, std::vector<T>& values);

/// An array, whole.
template <class T>
struct NpyArray {
    std::vector<std::int64_t> shape;
    std::vector<T> values;
};
template <class T>
NpyArray<T> read_npy(const std::string& path);

/// The bytes before the data of a C-ordered array; T: float, double, std::int32_t, std::int64_t.
template <class T>
std::string npy_header_bytes(const std::vector<std::int64_t>& shape);

}  // namespace nanoatlas::store
