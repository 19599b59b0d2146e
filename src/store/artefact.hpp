// One HDF5 file an artefact: there whole or not at all, and it says where it came from.
//
// Writing is collective (MPI-IO); reading is not: each rank reads what it asks for.
// Root attributes of each file: format, format_version, complete, provenance.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "comm/distribution.hpp"
#include "store/hdf5.hpp"

namespace nanoatlas::store {

class Provenance;
using Shape = std::vector<std::int64_t>;

/// Writes to a temporary name beside path; publish() makes the file appear. Destroyed without
/// publish(), it removes what it wrote. Collective, all members.
class ArtefactWriter {
  public:
    /// format: "corpus", "model", ... throws InputError if the folder is missing or read-only
    ArtefactWriter(std::string path, const std::string& format, const comm::Communicator& comm);
    ~ArtefactWriter();
    ArtefactWriter(const ArtefactWriter&) = delete;
    ArtefactWriter& operator=(const ArtefactWriter&) = delete;

    /// A dataset [rows.total, tail...] of which this rank gives rows [rows.first, rows.end()).
    /// name may hold groups: "rejects/path". T: float, double, u8, i8, u16, i32, u32, i64, u64.
    template <class T>
    void write_rows(const std::string& name, std::span<const T> values, const comm::RowBlock& rows,
                    const Shape& tail = {}) {
        write_rows_raw(name, hdf5::native_type<T>(), values.data(), values.size(), rows, tail);
    }
    /// The same values on every rank; rank 0's are written.
    template <class T>
    void write_whole(const std::string& name, std::span<const T> values, const Shape& shape) {
        write_whole_raw(name, hdf5::native_type<T>(), values.data(), values.size(), shape);
    }
    /// Strings of fixed length, that of the longest on any rank.
    void write_string_rows(const std::string& name, std::span<const std::string> values,
                           const comm::RowBlock& rows);
    void write_whole_strings(const std::string& name, std::span<const std::string> values);

    /// Makes a dataset of the given shape, to be filled by write_slab in pieces that fit memory.
    template <class T>
    void create(const std::string& name, const Shape& shape) {
        create_raw(name, hdf5::native_type<T>(), shape);
    }
    /// Rows [first, first + count) of a dataset made by create(). Not collective.
    template <class T>
    void write_slab(const std::string& name, std::span<const T> values, std::int64_t first,
                    std::int64_t count) {
        write_slab_raw(name, hdf5::native_type<T>(), values.data(), values.size(), first, count);
    }

    void attribute(const std::string& name, const std::string& value);
    void attribute(const std::string& name, double value);
    void attribute(const std::string& name, std::int64_t value);
    void attribute(const std::string& name, const std::vector<double>& values);
    void attribute(const std::string& name, const std::vector<std::string>& values);

    /// Closes, reopens and verifies, marks as complete, fsyncs, renames, fsyncs the folder.
    /// throws EnvironmentError if any of that fails (disk full); a file of that name that was there
    /// before stays as it was
    void publish(const Provenance& provenance);

    const std::string& path() const { return path_; }

  private:
    void create_raw(const std::string& name, hid_t type, const Shape& shape);
    void write_rows_raw(const std::string& name, hid_t type, const void* data, std::size_t count,
                        const comm::RowBlock& rows, const Shape& tail);
    void write_whole_raw(const std::string& name, hid_t type, const void* data, std::size_t count,
                         const Shape& shape);
    void write_slab_raw(const std::string& name, hid_t type, const void* data, std::size_t count,
                        std::int64_t first, std::int64_t rows);
    void write_block(hid_t dataset, hid_t type, const void* data, std::int64_t first,
                     std::int64_t rows, const Shape& shape, bool collective);
    void write_attribute(const std::string& name, hid_t type, const void* data, std::int64_t count);
    void verify() const;

    std::string path_, temporary_;
    const comm::Communicator& comm_;
    hdf5::File file_;
    std::map<std::string, Shape> shapes_;
    int exceptions_at_start_;
    bool published_ = false;
};

/// An artefact that is there and whole. Not collective.
class ArtefactReader {
  public:
    /// Expected format of a file that may come from elsewhere: the checks apply if it is ours.
    static constexpr const char* any_hdf5 = "HDF5 file";

    /// expected_format: "" takes any.
    /// throws InputError if the file is missing, no HDF5, damaged, incomplete, or of another kind
    explicit ArtefactReader(std::string path, const std::string& expected_format = "");

    const std::string& path() const { return path_; }
    const std::string& format() const { return format_; }
    std::string provenance() const { return text("provenance"); }

    bool has(const std::string& dataset) const;
    /// Names of all datasets, groups included ("rejects/path"), in alphabetical order.
    std::vector<std::string> datasets() const;
    /// throws InputError if there is no such dataset
    Shape shape(const std::string& dataset) const;
    std::int64_t rows(const std::string& dataset) const { return shape(dataset).at(0); }
    /// Whether float holds every value of the type of its numbers.
    bool fits_float(const std::string& dataset) const;

    /// Rows [first, first + count), converted to T. throws InputError if out of range
    template <class T>
    std::vector<T> read_rows(const std::string& dataset, std::int64_t first,
                             std::int64_t count) const {
        std::vector<T> values;
        read_rows_into(dataset, first, count, values);
        return values;
    }
    template <class T>
    std::vector<T> read_rows(const std::string& dataset, const comm::RowBlock& block) const {
        return read_rows<T>(dataset, block.first, block.count);
    }
    /// Any shape, whole.
    template <class T>
    std::vector<T> read(const std::string& dataset) const {
        return read_rows<T>(dataset, 0, rows(dataset));
    }
    /// In place of what values hold, whose memory is used again.
    template <class T>
    void read_rows_into(const std::string& dataset, std::int64_t first, std::int64_t count,
                        std::vector<T>& values) const {
        values.resize(checked_count(dataset, first, count, sizeof(T)));
        read_rows_raw(dataset, hdf5::native_type<T>(), values.data(), first, count);
    }
    /// Into memory of the caller's, rows * row length values.
    template <class T>
    void read_rows_into(const std::string& dataset, std::int64_t first, std::int64_t count,
                        std::span<T> values) const {
        check_size(checked_count(dataset, first, count, sizeof(T)) == values.size());
        read_rows_raw(dataset, hdf5::native_type<T>(), values.data(), first, count);
    }
    std::vector<std::string> read_strings(const std::string& dataset, std::int64_t first,
                                          std::int64_t count) const;
    std::vector<std::string> read_strings(const std::string& dataset) const {
        return read_strings(dataset, 0, rows(dataset));
    }

    /// Reads rows of whatever type and gives the number of values. throws InputError if damaged
    std::size_t count_readable(const std::string& dataset, std::int64_t first,
                               std::int64_t count) const;

    bool has_attribute(const std::string& name) const;
    /// throw InputError if there is none of that name
    std::string text(const std::string& attribute) const;
    double number(const std::string& attribute) const;
    std::vector<double> numbers(const std::string& attribute) const;
    std::vector<std::string> texts(const std::string& attribute) const;

  private:
    static void check_size(bool equal);
    hdf5::Dataset open(const std::string& dataset) const;
    /// The number of values, after a check that the rows exist and fit into memory.
    std::size_t checked_count(const std::string& dataset, std::int64_t first, std::int64_t count,
                              std::size_t value_size) const;
    void read_rows_raw(const std::string& dataset, hid_t type, void* data, std::int64_t first,
                       std::int64_t count) const;

    std::string path_, format_;
    hdf5::File file_;
};

}  // namespace nanoatlas::store
