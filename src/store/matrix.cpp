#include "store/matrix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <limits>
#include <map>

#include "base/check.hpp"
#include "store/agree.hpp"
#include "store/artefact.hpp"
#include "store/npy.hpp"
#include "store/plain_file.hpp"
#include "store/text_table.hpp"

namespace nanoatlas::store {
namespace {

enum class Kind { hdf5, npy, text };

struct Source {
    Kind kind = Kind::text;
    std::string path;
    std::string dataset;  ///< of HDF5; empty: the natural one
};

Kind kind_of(const std::string& path) {
    auto extension = std::filesystem::path(path).extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (extension == ".npy") return Kind::npy;
    if (extension == ".txt" || extension == ".csv" || extension == ".tsv") return Kind::text;
    if (extension == ".h5" || extension == ".hdf5") return Kind::hdf5;
    throw InputError(fmt::format(
        "cannot tell what '{}' is by its name; give FILE.h5, FILE.h5:/dataset, .npy, .csv or .txt",
        path));
}

Source parse_source(const std::string& source) {
    const auto colon = source.rfind(":/");
    if (colon != std::string::npos && kind_of(source.substr(0, colon)) == Kind::hdf5)
        return {Kind::hdf5, source.substr(0, colon), source.substr(colon + 2)};
    return {kind_of(source), source, {}};
}

/// The natural dataset: the first of the preferred names that there is, else the only one with that
/// many dimensions.
std::string natural_dataset(const ArtefactReader& file, std::size_t dimensions,
                            const std::vector<std::string>& preferred) {
    VALIDATE(dimensions != 2 || file.format() != "corpus",
             "'{}' is a corpus and holds pictures, no matrix; run extract on it first, or name a "
             "dataset: {}:/dataset",
             file.path(), file.path());
    for (const auto& name : preferred)
        if (file.has(name)) return name;
    const auto all = file.datasets();
    std::vector<std::string> fitting;
    std::copy_if(all.begin(), all.end(), std::back_inserter(fitting),
                 [&](const auto& name) { return file.shape(name).size() == dimensions; });
    VALIDATE(fitting.size() == 1,
             "'{}' has {} datasets of {} dimensions; name one: {}:/dataset (it has: {})",
             file.path(), fitting.size(), dimensions, file.path(), fmt::join(all, ", "));
    return fitting.front();
}

ArtefactReader open_hdf5(const std::string& path) {
    return ArtefactReader(path, ArtefactReader::any_hdf5);
}

template <class T>
Matrix<T> read_hdf5_matrix(const Source& source, const comm::Communicator& comm) {
    Matrix<T> matrix;
    agree_on_input(comm, [&] {
        const auto file = open_hdf5(source.path);
        const auto dataset = source.dataset.empty()
                                 ? natural_dataset(file, 2, {"features", "embedding"})
                                 : source.dataset;
        const auto shape = file.shape(dataset);
        VALIDATE(shape.size() == 2, "'/{}' of '{}' has {} dimensions; a matrix has 2", dataset,
                 source.path, shape.size());
        matrix.rows = comm::row_block(shape[0], comm);
        matrix.columns = shape[1];
        matrix.values = file.read_rows<T>(dataset, matrix.rows);
    });
    return matrix;
}

template <class T>
Matrix<T> read_npy_matrix(const Source& source, const comm::Communicator& comm) {
    Matrix<T> matrix;
    agree_on_input(comm, [&] {
        const auto header = read_npy_header(source.path);
        VALIDATE(header.shape.size() == 1 || header.shape.size() == 2,
                 "'{}' has {} dimensions; a matrix has 2", source.path, header.shape.size());
        matrix.rows = comm::row_block(header.rows(), comm);
        matrix.columns = header.row_length();
        matrix.values = read_npy_rows<T>(source.path, header, matrix.rows.first, matrix.rows.count);
    });
    return matrix;
}

template <class T>
Matrix<T> read_any(const Source& source, const comm::Communicator& comm) {
    switch (source.kind) {
        case Kind::hdf5:
            return read_hdf5_matrix<T>(source, comm);
        case Kind::npy:
            return read_npy_matrix<T>(source, comm);
        case Kind::text:
            break;
    }
    return read_text_table<T>(source.path, comm);
}

// In one go over whole registers.
template <class T>
bool are_finite(std::span<const T> values) {
    const T* from = values.data();
    int wrong = 0;
#pragma omp simd reduction(| : wrong)
    for (std::size_t i = 0; i < values.size(); ++i)
        wrong |= static_cast<int>(!(std::abs(from[i]) <= std::numeric_limits<T>::max()));
    return wrong == 0;
}

// Of rows [first_row, ...).
template <class T>
void check_finite(std::span<const T> values, std::int64_t first_row, std::int64_t columns,
                  const std::string& source) {
    if (are_finite(values)) return;
    const auto wrong =
        std::find_if(values.begin(), values.end(), [](T value) { return !std::isfinite(value); });
    const auto position = wrong - values.begin();
    throw InputError(fmt::format(
        "'{}' holds {} in row {}, column {} (counted from 0): distances to that row have no "
        "meaning; remove the row or fill the gap",
        source, std::isnan(*wrong) ? "NaN" : "an infinity", first_row + position / columns,
        position % columns));
}

void check_not_empty(std::int64_t rows, std::int64_t columns, const std::string& source) {
    VALIDATE(rows > 0 && columns > 0,
             "'{}' is an empty matrix ({} rows of {} columns); give one with rows", source, rows,
             columns);
}

std::vector<double> label_numbers(const TextColumn& column, const std::string& path) {
    std::vector<double> values(column.fields.size());
    bool numbers = true;
    for (std::size_t i = 0; i < values.size() && numbers; ++i)
        numbers = parse_number(column.fields[i], values[i]);
    if (numbers) return values;
    std::map<std::string, double> names;
    for (const auto& field : column.fields) names.emplace(field, 0);
    double next = 0;
    for (auto& [name, number] : names) number = next++;
    for (std::size_t i = 0; i < values.size(); ++i) {
        VALIDATE(!column.fields[i].empty(), "cannot read '{}': line {} has no label; add one", path,
                 column.lines[i]);
        values[i] = names.at(column.fields[i]);
    }
    return values;
}

std::vector<double> read_label_column(const Source& source) {
    if (source.kind == Kind::text)
        return label_numbers(read_text_column(source.path, "label"), source.path);
    if (source.kind == Kind::npy) {
        auto array = read_npy<double>(source.path);
        VALIDATE(array.values.size() ==
                     static_cast<std::size_t>(array.shape.empty() ? 1 : array.shape.front()),
                 "'{}' has more than one column; labels are one", source.path);
        return std::move(array.values);
    }
    const auto file = open_hdf5(source.path);
    const auto dataset =
        source.dataset.empty() ? natural_dataset(file, 1, {"label"}) : source.dataset;
    VALIDATE(file.shape(dataset).size() == 1, "'/{}' of '{}' has {} dimensions; labels have 1",
             dataset, source.path, file.shape(dataset).size());
    return file.read<double>(dataset);
}

std::vector<std::int64_t> whole_numbers(const std::vector<double>& values,
                                        const std::string& source) {
    std::vector<std::int64_t> labels(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        VALIDATE(std::abs(values[i]) < 0x1p53 && values[i] == std::trunc(values[i]),
                 "label {} of '{}' is {}; labels are whole numbers", i, source, values[i]);
        labels[i] = static_cast<std::int64_t>(values[i]);
    }
    return labels;
}

template <class T>
std::string text_of(const Matrix<T>& matrix, char separator) {
    fmt::memory_buffer text;
    for (std::int64_t i = 0; i < matrix.rows.count; ++i) {
        const auto row = matrix.row(i);
        for (std::size_t j = 0; j < row.size(); ++j) {
            if (j > 0) text.push_back(separator);
            fmt::format_to(std::back_inserter(text), "{}", row[j]);
        }
        text.push_back('\n');
    }
    return fmt::to_string(text);
}

template <class T>
std::string npy_bytes(const Matrix<T>& matrix, bool with_header) {
    std::string bytes;
    if (with_header) bytes = npy_header_bytes<T>({matrix.rows.total, matrix.columns});
    return bytes.append(reinterpret_cast<const char*>(matrix.values.data()),
                        matrix.values.size() * sizeof(T));
}

}  // namespace

std::string file_of_source(const std::string& source) {
    return parse_source(source).path;
}

template <class T>
Matrix<T> read_matrix(const std::string& source, const comm::Communicator& comm) {
    auto matrix = read_any<T>(parse_source(source), comm);
    check_not_empty(matrix.rows.total, matrix.columns, source);
    agree_on_input(comm, [&] {
        check_finite(std::span<const T>(matrix.values), matrix.rows.first, matrix.columns, source);
    });
    return matrix;
}

bool can_stay_in_file(const std::string& source) {
    return parse_source(source).kind != Kind::text;
}

MatrixFile::MatrixFile(const std::string& source, const comm::Communicator& comm)
    : source_(source) {
    agree_on_input(comm, [&] {
        const auto parsed = parse_source(source);
        VALIDATE(parsed.kind != Kind::text,
                 "'{}' is text (its rows can only be read from the first on); turn it into .npy",
                 source);
        path_ = parsed.path;
        is_npy_ = parsed.kind == Kind::npy;
        Shape shape;
        if (is_npy_) {
            const auto header = read_npy_header(path_);
            VALIDATE(header.shape.size() == 1 || header.shape.size() == 2,
                     "'{}' has {} dimensions; a matrix has 2", path_, header.shape.size());
            shape = {header.rows(), header.row_length()};
            fits_float_ = header.fits_float();
        } else {
            const auto file = open_hdf5(path_);
            dataset_ = parsed.dataset.empty() ? natural_dataset(file, 2, {"features", "embedding"})
                                              : parsed.dataset;
            shape = file.shape(dataset_);
            fits_float_ = file.fits_float(dataset_);
            VALIDATE(shape.size() == 2, "'/{}' of '{}' has {} dimensions; a matrix has 2", dataset_,
                     path_, shape.size());
        }
        rows_ = shape[0];
        columns_ = shape[1];
        check_not_empty(rows_, columns_, source);
    });
}

template <class T>
std::vector<T> MatrixFile::read(std::int64_t first, std::int64_t count) const {
    std::vector<T> values;
    read_into(first, count, values);
    return values;
}

template <class T>
void MatrixFile::read_into(std::int64_t first, std::int64_t count, std::vector<T>& values) const {
    if (count == 0) return values.clear();
    if (is_npy_) {
        read_npy_rows_into(path_, read_npy_header(path_), first, count, values);
    } else {
        open_hdf5(path_).read_rows_into(dataset_, first, count, values);
    }
    check_finite(std::span<const T>(values), first, columns_, source_);
}

std::vector<std::int64_t> read_labels(const std::string& source, const comm::Communicator& comm) {
    const auto parsed = parse_source(source);
    std::vector<std::int64_t> labels;
    comm.on_root([&] { labels = whole_numbers(read_label_column(parsed), source); });
    labels.resize(
        static_cast<std::size_t>(comm.broadcast(static_cast<std::int64_t>(labels.size()))));
    comm.broadcast(std::span<std::int64_t>(labels));
    return labels;
}

bool is_plain_table(const std::string& path) {
    const auto extension = std::filesystem::path(path).extension();
    return extension == ".npy" || extension == ".csv" || extension == ".txt";
}

template <class T>
void write_plain_table(const std::string& path, const Matrix<T>& matrix,
                       const comm::Communicator& comm) {
    const auto extension = std::filesystem::path(path).extension();
    const auto bytes = extension == ".npy" ? npy_bytes(matrix, comm.is_root())
                                           : text_of(matrix, extension == ".csv" ? ',' : ' ');
    publish_bytes(path, bytes, comm);
}

template Matrix<float> read_matrix(const std::string&, const comm::Communicator&);
template Matrix<double> read_matrix(const std::string&, const comm::Communicator&);
template std::vector<float> MatrixFile::read(std::int64_t, std::int64_t) const;
template std::vector<double> MatrixFile::read(std::int64_t, std::int64_t) const;
template void MatrixFile::read_into(std::int64_t, std::int64_t, std::vector<float>&) const;
template void MatrixFile::read_into(std::int64_t, std::int64_t, std::vector<double>&) const;
template void write_plain_table(const std::string&, const Matrix<float>&,
                                const comm::Communicator&);
template void write_plain_table(const std::string&, const Matrix<double>&,
                                const comm::Communicator&);
template void write_plain_table(const std::string&, const Matrix<std::int32_t>&,
                                const comm::Communicator&);

}  // namespace nanoatlas::store
