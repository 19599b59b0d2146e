#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <numeric>

#include "base/check.hpp"
#include "store/artefact.hpp"

namespace nanoatlas::store {
namespace {

namespace fs = std::filesystem;

// What a rank may be asked to hold at once; a damaged file must not claim more.
constexpr std::uint64_t most_bytes = std::uint64_t{1} << 40;

std::string job_that_writes(const std::string& format) {
    if (format == "corpus") return "ingest";
    if (format == "features") return "extract";
    if (format == "embedding") return "reduce";
    if (format == "neighbours") return "neighbours";
    if (format == "clusters") return "cluster";
    if (format == "model") return "train or import-model";
    if (format == "predictions") return "classify";
    return "the job that writes it";
}

std::vector<std::string> split_strings(const std::vector<char>& data, std::size_t length) {
    std::vector<std::string> values;
    values.reserve(length == 0 ? 0 : data.size() / length);
    for (std::size_t at = 0; length > 0 && at < data.size(); at += length)
        values.emplace_back(data.data() + at, strnlen(data.data() + at, length));
    return values;
}

}  // namespace

ArtefactReader::ArtefactReader(std::string path, const std::string& expected_format)
    : path_(std::move(path)) {
    hdf5::silence_errors();
    const std::string kind = expected_format.empty() ? "file" : expected_format;
    std::error_code ignored;
    VALIDATE(fs::exists(path_, ignored),
             "cannot read {} '{}' (no such file, or no permission); check the path, or run "
             "{} first",
             kind, path_, job_that_writes(expected_format));
    VALIDATE(
        H5Fis_hdf5(path_.c_str()) > 0,
        "cannot read {} '{}' (it is no HDF5 file, or was cut short); give a file that {} wrote",
        kind, path_, job_that_writes(expected_format));
    file_ = hdf5::File(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
    VALIDATE(static_cast<bool>(file_), "cannot read {} '{}' (damaged: {}); run {} again", kind,
             path_, hdf5::last_error(), job_that_writes(expected_format));
    const bool foreign_allowed = expected_format == any_hdf5;
    if (foreign_allowed && !has_attribute("format")) return;
    VALIDATE(has_attribute("format"),
             "cannot read '{}' (attribute 'format' is missing: not a file of "
             "nanoatlas); name a dataset, as in {}:/name",
             path_, path_);
    format_ = text("format");
    VALIDATE(has_attribute("complete"),
             "cannot read {} '{}' (attribute 'complete' is missing: the run that wrote it did not "
             "finish); run {} again",
             format_, path_, job_that_writes(format_));
    VALIDATE(expected_format.empty() || foreign_allowed || format_ == expected_format,
             "'{}' is a file of kind '{}', not '{}'; give a file that {} wrote", path_, format_,
             expected_format, job_that_writes(expected_format));
}

bool ArtefactReader::has(const std::string& dataset) const {
    for (auto slash = dataset.find('/', 1); slash != std::string::npos;
         slash = dataset.find('/', slash + 1))
        if (H5Lexists(file_.id(), dataset.substr(0, slash).c_str(), H5P_DEFAULT) <= 0) return false;
    return H5Lexists(file_.id(), dataset.c_str(), H5P_DEFAULT) > 0;
}

std::vector<std::string> ArtefactReader::datasets() const {
    std::vector<std::string> names;
    H5Ovisit2(
        file_.id(), H5_INDEX_NAME, H5_ITER_INC,
        [](hid_t, const char* name, const H5O_info_t* info, void* list) -> herr_t {
            if (info->type == H5O_TYPE_DATASET)
                static_cast<std::vector<std::string>*>(list)->emplace_back(name);
            return 0;
        },
        &names, H5O_INFO_BASIC);
    return names;
}

hdf5::Dataset ArtefactReader::open(const std::string& dataset) const {
    VALIDATE(has(dataset), "'{}' has no dataset '/{}'; it has: {}", path_, dataset,
             fmt::join(datasets(), ", "));
    hdf5::Dataset opened(H5Dopen2(file_.id(), dataset.c_str(), H5P_DEFAULT));
    VALIDATE(static_cast<bool>(opened), "cannot read dataset '/{}' of '{}' (damaged: {})", dataset,
             path_, hdf5::last_error());
    return opened;
}

Shape ArtefactReader::shape(const std::string& dataset) const {
    const auto opened = open(dataset);
    const hdf5::Dataspace space(H5Dget_space(opened.id()));
    std::vector<hsize_t> sizes(
        static_cast<std::size_t>(std::max(0, H5Sget_simple_extent_ndims(space.id()))));
    H5Sget_simple_extent_dims(space.id(), sizes.data(), nullptr);
    return {sizes.begin(), sizes.end()};
}

bool ArtefactReader::fits_float(const std::string& dataset) const {
    const auto opened = open(dataset);
    const hdf5::Datatype type(H5Dget_type(opened.id()));
    return H5Tget_precision(type.id()) <= (H5Tget_class(type.id()) == H5T_FLOAT ? 32U : 16U);
}

void ArtefactReader::check_size(bool equal) {
    ENSURE(equal, "a buffer does not have the size of the rows read into it");
}

std::size_t ArtefactReader::checked_count(const std::string& dataset, std::int64_t first,
                                          std::int64_t count, std::size_t value_size) const {
    const auto sizes = shape(dataset);
    VALIDATE(!sizes.empty() && first >= 0 && count >= 0 && first + count <= sizes[0],
             "'{}' has no rows {} to {} in '/{}' ({} rows)", path_, first, first + count, dataset,
             sizes.empty() ? 0 : sizes[0]);
    const auto row = std::accumulate(sizes.begin() + 1, sizes.end(), 1.0, std::multiplies<>());
    VALIDATE(row * static_cast<double>(count) * static_cast<double>(value_size) <
                 static_cast<double>(most_bytes),
             "'/{}' of '{}' claims more rows than fit into memory; is the file damaged?", dataset,
             path_);
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(count);
}

void ArtefactReader::read_rows_raw(const std::string& dataset, hid_t type, void* data,
                                   std::int64_t first, std::int64_t count) const {
    if (count == 0) return;
    const auto opened = open(dataset);
    const hdf5::Dataspace on_disk(H5Dget_space(opened.id()));
    const auto sizes = shape(dataset);
    std::vector<hsize_t> counts(sizes.begin(), sizes.end()), offset(sizes.size(), 0);
    counts[0] = static_cast<hsize_t>(count);
    offset[0] = static_cast<hsize_t>(first);
    H5Sselect_hyperslab(on_disk.id(), H5S_SELECT_SET, offset.data(), nullptr, counts.data(),
                        nullptr);
    const hdf5::Dataspace in_memory(
        H5Screate_simple(static_cast<int>(counts.size()), counts.data(), nullptr));
    VALIDATE(H5Dread(opened.id(), type, in_memory.id(), on_disk.id(), H5P_DEFAULT, data) >= 0,
             "cannot read dataset '/{}' of '{}' (damaged, or not of numbers: {})", dataset, path_,
             hdf5::last_error());
}

std::vector<std::string> ArtefactReader::read_strings(const std::string& dataset,
                                                      std::int64_t first,
                                                      std::int64_t count) const {
    const auto opened = open(dataset);
    const hdf5::Datatype type(H5Dget_type(opened.id()));
    VALIDATE(H5Tget_class(type.id()) == H5T_STRING && H5Tis_variable_str(type.id()) <= 0,
             "dataset '/{}' of '{}' does not hold text of fixed length", dataset, path_);
    const auto length = H5Tget_size(type.id());
    std::vector<char> data(checked_count(dataset, first, count, length) * length);
    read_rows_raw(dataset, type.id(), data.data(), first, count);
    return split_strings(data, length);
}

std::size_t ArtefactReader::count_readable(const std::string& dataset, std::int64_t first,
                                           std::int64_t count) const {
    const auto opened = open(dataset);
    const hdf5::Datatype type(H5Dget_type(opened.id()));
    const auto size = H5Tget_size(type.id());
    const auto values = checked_count(dataset, first, count, size);
    std::vector<std::byte> data(values * size);
    read_rows_raw(dataset, type.id(), data.data(), first, count);
    return values;
}

bool ArtefactReader::has_attribute(const std::string& name) const {
    return H5Aexists(file_.id(), name.c_str()) > 0 || has("attributes/" + name);
}

std::vector<std::string> ArtefactReader::texts(const std::string& name) const {
    if (H5Aexists(file_.id(), name.c_str()) <= 0) {
        VALIDATE(has("attributes/" + name),
                 "'{}' has no attribute '{}'; it is damaged or of an "
                 "older version",
                 path_, name);
        return read_strings("attributes/" + name);
    }
    const hdf5::Attribute attribute(H5Aopen(file_.id(), name.c_str(), H5P_DEFAULT));
    const hdf5::Datatype type(H5Aget_type(attribute.id()));
    VALIDATE(H5Tget_class(type.id()) == H5T_STRING && H5Tis_variable_str(type.id()) <= 0,
             "attribute '{}' of '{}' is not text", name, path_);
    const hdf5::Dataspace space(H5Aget_space(attribute.id()));
    const auto count = std::max<hssize_t>(0, H5Sget_simple_extent_npoints(space.id()));
    const auto length = H5Tget_size(type.id());
    std::vector<char> data(static_cast<std::size_t>(count) * length);
    VALIDATE(H5Aread(attribute.id(), type.id(), data.data()) >= 0,
             "cannot read attribute '{}' of '{}' (damaged)", name, path_);
    return split_strings(data, length);
}

std::string ArtefactReader::text(const std::string& name) const {
    const auto values = texts(name);
    return values.empty() ? std::string{} : values[0];
}

std::vector<double> ArtefactReader::numbers(const std::string& name) const {
    VALIDATE(H5Aexists(file_.id(), name.c_str()) > 0,
             "'{}' has no attribute '{}'; it is damaged or of an older version", path_, name);
    const hdf5::Attribute attribute(H5Aopen(file_.id(), name.c_str(), H5P_DEFAULT));
    const hdf5::Dataspace space(H5Aget_space(attribute.id()));
    std::vector<double> values(
        static_cast<std::size_t>(std::max<hssize_t>(0, H5Sget_simple_extent_npoints(space.id()))));
    VALIDATE(H5Aread(attribute.id(), H5T_NATIVE_DOUBLE, values.data()) >= 0,
             "attribute '{}' of '{}' is not a number", name, path_);
    return values;
}

double ArtefactReader::number(const std::string& name) const {
    return numbers(name).at(0);
}

}  // namespace nanoatlas::store
