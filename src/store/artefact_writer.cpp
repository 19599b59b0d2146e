#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <numeric>

#include "base/check.hpp"
#include "base/version.hpp"
#include "store/artefact.hpp"
#include "store/output.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::store {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t format_version = 1;
// HDF5's MPI-IO path counts bytes in an int: larger blocks are written in pieces.
constexpr std::int64_t most_bytes_at_once = std::int64_t{1} << 30;

std::int64_t product(const Shape& shape, std::size_t from = 0) {
    return std::accumulate(shape.begin() + static_cast<std::ptrdiff_t>(from), shape.end(),
                           std::int64_t{1}, std::multiplies<>());
}

std::vector<hsize_t> extent(const Shape& shape) {
    return {shape.begin(), shape.end()};
}

void synchronise(const std::string& path) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    ENSURE(file >= 0, "cannot reopen '{}' to bring it to disk ({})", path, std::strerror(errno));
    const int status = fsync(file);
    const int cause = errno;
    close(file);
    ENSURE(status == 0, "cannot bring '{}' to disk ({}); free space there and run again", path,
           std::strerror(cause));
}

hdf5::Group open_parent(const hdf5::File& file, const std::string& name) {
    const auto slash = name.rfind('/');
    if (slash == std::string::npos) return hdf5::Group(H5Gopen2(file.id(), "/", H5P_DEFAULT));
    const auto parent = name.substr(0, slash);
    if (H5Lexists(file.id(), parent.c_str(), H5P_DEFAULT) > 0)
        return hdf5::Group(H5Gopen2(file.id(), parent.c_str(), H5P_DEFAULT));
    return hdf5::Group(
        H5Gcreate2(file.id(), parent.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
}

std::string leaf(const std::string& name) {
    return name.substr(name.rfind('/') + 1);
}

// Strings one after the other, each padded to the same length.
std::string padded(std::span<const std::string> values, std::size_t length) {
    std::string data(values.size() * length, '\0');
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i].copy(data.data() + i * length, length);
    return data;
}

std::size_t longest(std::span<const std::string> values) {
    std::size_t length = 1;
    for (const auto& value : values) length = std::max(length, value.size());
    return length;
}

}  // namespace

ArtefactWriter::ArtefactWriter(std::string path, const std::string& format,
                               const comm::Communicator& comm)
    : path_(std::move(path)),
      temporary_(path_ + ".partial"),
      comm_(comm),
      exceptions_at_start_(std::uncaught_exceptions()) {
    hdf5::silence_errors();
    check_output(path_, comm_);
    // What a killed run left behind goes: the name is the same for all runs, so none piles up.
    comm_.on_root([&] {
        std::error_code ignored;
        fs::remove(temporary_, ignored);
    });
    const hdf5::PropertyList access(H5Pcreate(H5P_FILE_ACCESS));
    H5Pset_fapl_mpio(access.id(), comm_.handle(), MPI_INFO_NULL);
    file_ = hdf5::File(H5Fcreate(temporary_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.id()));
    ENSURE(comm_.all(static_cast<bool>(file_)), "cannot create '{}' ({})", temporary_,
           hdf5::last_error());
    attribute("format", format);
    attribute("format_version", format_version);
}

ArtefactWriter::~ArtefactWriter() {
    if (published_) return;
    // Closing is collective, and while an error unwinds other ranks may not come; the library
    // closes what is left open when MPI ends.
    if (std::uncaught_exceptions() > exceptions_at_start_)
        file_.release();
    else
        file_.close();
    std::error_code ignored;
    fs::remove(temporary_, ignored);
}

void ArtefactWriter::create_raw(const std::string& name, hid_t type, const Shape& shape) {
    const auto sizes = extent(shape);
    const hdf5::Dataspace space(
        H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr));
    const auto parent = open_parent(file_, name);
    const hdf5::PropertyList creation(H5Pcreate(H5P_DATASET_CREATE));
    // Every row is written by its rank: no need to write fill values first.
    H5Pset_fill_time(creation.id(), H5D_FILL_TIME_NEVER);
    H5Pset_alloc_time(creation.id(), H5D_ALLOC_TIME_EARLY);
    const hdf5::Dataset dataset(H5Dcreate2(parent.id(), leaf(name).c_str(), type, space.id(),
                                           H5P_DEFAULT, creation.id(), H5P_DEFAULT));
    ENSURE(static_cast<bool>(dataset), "cannot create dataset '{}' in '{}' ({})", name, temporary_,
           hdf5::last_error());
    shapes_[name] = shape;
}

void ArtefactWriter::write_block(hid_t dataset, hid_t type, const void* data, std::int64_t first,
                                 std::int64_t rows, const Shape& shape, bool collective) {
    const hdf5::PropertyList transfer(H5Pcreate(H5P_DATASET_XFER));
    H5Pset_dxpl_mpio(transfer.id(), collective ? H5FD_MPIO_COLLECTIVE : H5FD_MPIO_INDEPENDENT);
    const std::int64_t row_bytes =
        std::max<std::int64_t>(1, product(shape, 1) * static_cast<std::int64_t>(H5Tget_size(type)));
    const std::int64_t rows_at_once = std::max<std::int64_t>(1, most_bytes_at_once / row_bytes);
    std::int64_t pieces = (rows + rows_at_once - 1) / rows_at_once;
    if (collective) pieces = comm_.max(pieces);
    bool written = true;
    for (std::int64_t piece = 0; piece < pieces; ++piece) {
        const std::int64_t begin = std::min(rows, piece * rows_at_once);
        const std::int64_t count = std::min(rows_at_once, rows - begin);
        auto count_of = extent(shape);
        std::vector<hsize_t> offset(shape.size(), 0);
        const hdf5::Dataspace on_disk(H5Dget_space(dataset));
        if (!shape.empty()) {
            offset[0] = static_cast<hsize_t>(first + begin);
            count_of[0] = static_cast<hsize_t>(count);
        }
        const hdf5::Dataspace in_memory(
            H5Screate_simple(static_cast<int>(count_of.size()), count_of.data(), nullptr));
        if (count == 0) {
            H5Sselect_none(on_disk.id());
            H5Sselect_none(in_memory.id());
        } else if (!shape.empty()) {
            H5Sselect_hyperslab(on_disk.id(), H5S_SELECT_SET, offset.data(), nullptr,
                                count_of.data(), nullptr);
        }
        const auto* at = static_cast<const std::byte*>(data) + begin * row_bytes;
        written = H5Dwrite(dataset, type, in_memory.id(), on_disk.id(), transfer.id(), at) >= 0 &&
                  written;
    }
    if (collective) written = comm_.all(written);
    ENSURE(written, "cannot write '{}' ({}); is the disk full?", temporary_, hdf5::last_error());
}

void ArtefactWriter::write_rows_raw(const std::string& name, hid_t type, const void* data,
                                    std::size_t count, const comm::RowBlock& rows,
                                    const Shape& tail) {
    Shape shape{rows.total};
    shape.insert(shape.end(), tail.begin(), tail.end());
    ASSERT(count == static_cast<std::size_t>(rows.count * product(tail)));
    static_cast<void>(count);
    create_raw(name, type, shape);
    const hdf5::Dataset dataset(H5Dopen2(file_.id(), name.c_str(), H5P_DEFAULT));
    write_block(dataset.id(), type, data, rows.first, rows.count, shape, true);
}

void ArtefactWriter::write_whole_raw(const std::string& name, hid_t type, const void* data,
                                     std::size_t count, const Shape& shape) {
    ASSERT(count == static_cast<std::size_t>(product(shape)));
    static_cast<void>(count);
    create_raw(name, type, shape);
    const hdf5::Dataset dataset(H5Dopen2(file_.id(), name.c_str(), H5P_DEFAULT));
    const std::int64_t rows = shape.empty() ? 1 : shape[0];
    write_block(dataset.id(), type, data, 0, comm_.is_root() ? rows : 0, shape, true);
}

void ArtefactWriter::write_slab_raw(const std::string& name, hid_t type, const void* data,
                                    std::size_t count, std::int64_t first, std::int64_t rows) {
    const auto& shape = shapes_.at(name);
    ASSERT(count == static_cast<std::size_t>(rows * product(shape, 1)));
    static_cast<void>(count);
    const hdf5::Dataset dataset(H5Dopen2(file_.id(), name.c_str(), H5P_DEFAULT));
    write_block(dataset.id(), type, data, first, rows, shape, false);
}

void ArtefactWriter::write_string_rows(const std::string& name, std::span<const std::string> values,
                                       const comm::RowBlock& rows) {
    const auto length =
        static_cast<std::size_t>(comm_.max(static_cast<std::int64_t>(longest(values))));
    const auto type = hdf5::string_type(length);
    write_rows_raw(name, type.id(), padded(values, length).data(), values.size(), rows, {});
}

void ArtefactWriter::write_whole_strings(const std::string& name,
                                         std::span<const std::string> values) {
    const auto length = longest(values);
    const auto type = hdf5::string_type(length);
    write_whole_raw(name, type.id(), padded(values, length).data(), values.size(),
                    {static_cast<std::int64_t>(values.size())});
}

void ArtefactWriter::write_attribute(const std::string& name, hid_t type, const void* data,
                                     std::int64_t count) {
    const auto size = static_cast<hsize_t>(count);
    const hdf5::Dataspace space(count == 1 ? H5Screate(H5S_SCALAR)
                                           : H5Screate_simple(1, &size, nullptr));
    if (H5Aexists(file_.id(), name.c_str()) > 0) H5Adelete(file_.id(), name.c_str());
    const hdf5::Attribute attribute(
        H5Acreate2(file_.id(), name.c_str(), type, space.id(), H5P_DEFAULT, H5P_DEFAULT));
    ENSURE(attribute && H5Awrite(attribute.id(), type, data) >= 0,
           "cannot write attribute '{}' of '{}' ({})", name, temporary_, hdf5::last_error());
}

void ArtefactWriter::attribute(const std::string& name, const std::string& value) {
    // An attribute beside the object header may hold 64 KiB; longer texts become a dataset.
    constexpr std::size_t most = 60000;
    if (value.size() > most) {
        write_whole_strings("attributes/" + name, std::span(&value, 1));
        return;
    }
    const auto type = hdf5::string_type(value.size());
    write_attribute(name, type.id(), value.empty() ? "\0" : value.data(), 1);
}

void ArtefactWriter::attribute(const std::string& name, double value) {
    write_attribute(name, H5T_NATIVE_DOUBLE, &value, 1);
}

void ArtefactWriter::attribute(const std::string& name, std::int64_t value) {
    write_attribute(name, H5T_NATIVE_INT64, &value, 1);
}

void ArtefactWriter::attribute(const std::string& name, const std::vector<double>& values) {
    write_attribute(name, H5T_NATIVE_DOUBLE, values.data(),
                    static_cast<std::int64_t>(values.size()));
}

void ArtefactWriter::attribute(const std::string& name, const std::vector<std::string>& values) {
    const auto length = longest(values);
    if (values.size() * length > 60000) {
        write_whole_strings("attributes/" + name, values);
        return;
    }
    const auto type = hdf5::string_type(length);
    write_attribute(name, type.id(), padded(values, length).data(),
                    static_cast<std::int64_t>(values.size()));
}

void ArtefactWriter::verify() const {
    const hdf5::File file(H5Fopen(temporary_.c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
    ENSURE(static_cast<bool>(file), "cannot reopen '{}' ({}); is the disk full?", temporary_,
           hdf5::last_error());
    for (const auto& [name, shape] : shapes_) {
        const hdf5::Dataset dataset(H5Dopen2(file.id(), name.c_str(), H5P_DEFAULT));
        ENSURE(static_cast<bool>(dataset), "dataset '{}' of '{}' did not reach the disk ({})", name,
               temporary_, hdf5::last_error());
        const hdf5::Dataspace space(H5Dget_space(dataset.id()));
        const hdf5::Datatype type(H5Dget_type(dataset.id()));
        const auto bytes = static_cast<hsize_t>(product(shape)) * H5Tget_size(type.id());
        ENSURE(H5Sget_simple_extent_npoints(space.id()) == product(shape) &&
                   H5Dget_storage_size(dataset.id()) == bytes,
               "dataset '{}' of '{}' is not whole on the disk; is it full?", name, temporary_);
    }
    const std::int64_t yes = 1;
    const hdf5::Dataspace scalar(H5Screate(H5S_SCALAR));
    hdf5::Attribute complete(
        H5Acreate2(file.id(), "complete", H5T_NATIVE_INT64, scalar.id(), H5P_DEFAULT, H5P_DEFAULT));
    ENSURE(complete && H5Awrite(complete.id(), H5T_NATIVE_INT64, &yes) >= 0 && complete.close() &&
               H5Fflush(file.id(), H5F_SCOPE_GLOBAL) >= 0,
           "cannot mark '{}' as complete ({}); is the disk full?", temporary_, hdf5::last_error());
}

void ArtefactWriter::publish(const Provenance& provenance) {
    // The ranks' seconds differ, and with their text the size of the attribute; to HDF5 every rank
    // must make the same one, or their closing does not fit together.
    attribute("fingerprint", comm_.broadcast(provenance.fingerprint()));
    attribute("provenance", comm_.broadcast(provenance.json()));
    const bool closed = H5Fflush(file_.id(), H5F_SCOPE_GLOBAL) >= 0;
    const bool all_closed = comm_.all(file_.close() && closed);
    ENSURE(all_closed, "cannot close '{}' ({}); is the disk full?", temporary_, hdf5::last_error());
    comm_.on_root([&] {
        verify();
        synchronise(temporary_);
        ENSURE(std::rename(temporary_.c_str(), path_.c_str()) == 0,
               "cannot rename '{}' to '{}' ({})", temporary_, path_, std::strerror(errno));
        synchronise(folder_of(path_));
    });
    published_ = true;
}

}  // namespace nanoatlas::store
