#include "store/corpus.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "store/agree.hpp"
#include "store/row_exchange.hpp"

namespace nanoatlas::store {
namespace {

/// Image data that passes between ranks at once, per rank.
constexpr std::int64_t piece_bytes = std::int64_t{64} << 20;

void write_images(ArtefactWriter& writer, const CorpusRows& rows, std::int64_t total,
                  const comm::Communicator& comm) {
    const std::int64_t row_bytes = std::int64_t{rows.height} * rows.width;
    const auto rows_at_once = std::max<std::int64_t>(1, piece_bytes / row_bytes * comm.size());
    writer.create<std::uint8_t>("images", {total, rows.height, rows.width});
    for (std::int64_t first = 0; first < total; first += rows_at_once) {
        const RowExchange exchange(rows.row, first, std::min(rows_at_once, total - first), comm);
        const auto images = exchange.values<std::uint8_t>(rows.images, row_bytes);
        const auto& block = exchange.block();
        agree_on_environment(comm, [&] {
            if (block.count > 0)
                writer.write_slab<std::uint8_t>("images", images, first + block.first, block.count);
        });
    }
}

/// scale as the [N, 2] floats it is stored as.
std::vector<float> flat(const std::vector<std::array<float, 2>>& scale) {
    std::vector<float> values;
    for (const auto& pair : scale) values.insert(values.end(), pair.begin(), pair.end());
    return values;
}

void write_columns(ArtefactWriter& writer, const CorpusRows& rows, std::int64_t total,
                   const comm::Communicator& comm) {
    const RowExchange exchange(rows.row, 0, total, comm);
    const auto& block = exchange.block();
    writer.write_string_rows("path", exchange.strings(rows.path), block);
    writer.write_rows<std::uint64_t>("checksum", exchange.values<std::uint64_t>(rows.checksum, 1),
                                     block);
    writer.write_rows<double>("pixel_size", exchange.values<double>(rows.pixel_size, 1), block);
    writer.write_rows<float>("scale", exchange.values<float>(flat(rows.scale), 2), block, {2});
    writer.write_string_rows("metadata", exchange.strings(rows.metadata), block);
}

void write_table(ArtefactWriter& writer, const CorpusTable& table) {
    const Shape shape{static_cast<std::int64_t>(table.label.size())};
    std::vector<std::uint8_t> parts;
    for (const auto part : table.part) parts.push_back(static_cast<std::uint8_t>(part));
    writer.write_whole<std::int32_t>("label", table.label, shape);
    writer.write_whole<std::int64_t>("group", table.group, shape);
    writer.write_whole<std::int64_t>("duplicate_of", table.duplicate_of, shape);
    writer.write_whole<std::uint8_t>("part", parts, shape);
    writer.write_whole_strings("classes", table.classes);
    writer.write_whole_strings("rejects/path", table.reject_path);
    writer.write_whole_strings("rejects/cause", table.reject_cause);
}

}  // namespace

const char* name_of(Part part) {
    switch (part) {
        case Part::train:
            return "train";
        case Part::validation:
            return "validation";
        case Part::test:
            return "test";
    }
    return "?";
}

CorpusReader::CorpusReader(std::string path) : file_(std::move(path), "corpus") {
    const auto shape = file_.shape("images");
    VALIDATE(shape.size() == 3,
             "cannot read corpus '{}' (its images are no stack of pictures); run ingest again",
             file_.path());
    rows_ = shape[0];
    height_ = static_cast<int>(shape[1]);
    width_ = static_cast<int>(shape[2]);
    for (const auto* column : {"label", "path", "group", "duplicate_of", "part", "checksum",
                               "pixel_size", "scale", "metadata"})
        VALIDATE(
            file_.rows(column) == rows_,
            "cannot read corpus '{}' (it has {} images, and {} rows in '{}'); run ingest again",
            file_.path(), rows_, file_.rows(column), column);
    classes_ = file_.read_strings("classes");
    const auto known = static_cast<std::int32_t>(classes_.size());
    for (const auto label : labels())
        VALIDATE(label >= -1 && label < known,
                 "cannot read corpus '{}' (label {} is none of its {} classes); run ingest again",
                 file_.path(), label, known);
}

std::vector<std::uint8_t> CorpusReader::read_images(std::int64_t first, std::int64_t count) const {
    return file_.read_rows<std::uint8_t>("images", first, count);
}

void CorpusReader::read_images_into(std::int64_t first, std::int64_t count,
                                    std::span<std::uint8_t> images) const {
    file_.read_rows_into<std::uint8_t>("images", first, count, images);
}

std::vector<std::int32_t> CorpusReader::labels() const {
    return file_.read<std::int32_t>("label");
}

std::vector<Part> CorpusReader::parts() const {
    std::vector<Part> parts;
    for (const auto value : file_.read<std::uint8_t>("part")) {
        VALIDATE(value <= static_cast<std::uint8_t>(Part::test),
                 "cannot read corpus '{}' (part {} is none of train, validation, test); run ingest "
                 "again",
                 file_.path(), value);
        parts.push_back(static_cast<Part>(value));
    }
    return parts;
}

std::vector<std::int64_t> CorpusReader::groups() const {
    return file_.read<std::int64_t>("group");
}

std::vector<std::int64_t> CorpusReader::duplicate_of() const {
    return file_.read<std::int64_t>("duplicate_of");
}

std::vector<std::uint64_t> CorpusReader::checksums() const {
    return file_.read<std::uint64_t>("checksum");
}

std::vector<std::string> CorpusReader::paths() const {
    return file_.read_strings("path");
}

std::vector<double> CorpusReader::pixel_sizes() const {
    return file_.read<double>("pixel_size");
}

std::vector<std::array<float, 2>> CorpusReader::scales() const {
    const auto values = file_.read<float>("scale");
    std::vector<std::array<float, 2>> scales(values.size() / 2);
    for (std::size_t i = 0; i < scales.size(); ++i) scales[i] = {values[2 * i], values[2 * i + 1]};
    return scales;
}

std::vector<std::string> CorpusReader::metadata(std::int64_t first, std::int64_t count) const {
    return file_.read_strings("metadata", first, count);
}

std::vector<std::string> CorpusReader::reject_paths() const {
    return file_.read_strings("rejects/path");
}

std::vector<std::string> CorpusReader::reject_causes() const {
    return file_.read_strings("rejects/cause");
}

std::vector<std::int64_t> CorpusReader::rows_of(Part part) const {
    const auto all = parts();
    std::vector<std::int64_t> rows;
    for (std::size_t i = 0; i < all.size(); ++i)
        if (all[i] == part) rows.push_back(static_cast<std::int64_t>(i));
    return rows;
}

void write_corpus(ArtefactWriter& writer, const CorpusRows& rows, const CorpusTable& table,
                  const Provenance& provenance, const comm::Communicator& comm) {
    const auto total = static_cast<std::int64_t>(table.label.size());
    write_images(writer, rows, total, comm);
    write_columns(writer, rows, total, comm);
    write_table(writer, table);
    writer.publish(provenance);
}

void write_corpus(const std::string& path, const CorpusRows& rows, const CorpusTable& table,
                  const Provenance& provenance, const comm::Communicator& comm) {
    ArtefactWriter writer(path, "corpus", comm);
    write_corpus(writer, rows, table, provenance, comm);
}

}  // namespace nanoatlas::store
