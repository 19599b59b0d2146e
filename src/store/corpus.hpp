// The corpus: all images of a collection, decoded, grey, of one size, with what is known of each.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "comm/distribution.hpp"
#include "store/artefact.hpp"

namespace nanoatlas::store {

/// What an image is for. The values are those of /part.
enum class Part : std::uint8_t { train = 0, validation = 1, test = 2 };

/// "train", "validation", "test"
const char* name_of(Part part);

/// A corpus that is there and whole. Not collective: each rank reads what it asks for. N rows.
class CorpusReader {
  public:
    /// throws InputError as ArtefactReader does, or if the datasets don't fit together
    explicit CorpusReader(std::string path);

    const std::string& path() const { return file_.path(); }
    const ArtefactReader& file() const { return file_; }
    std::int64_t rows() const { return rows_; }
    /// Of the stored images, in pixels.
    int height() const { return height_; }
    int width() const { return width_; }
    const std::vector<std::string>& classes() const { return classes_; }

    /// u8 [count, height, width]
    std::vector<std::uint8_t> read_images(std::int64_t first, std::int64_t count) const;
    void read_images_into(std::int64_t first, std::int64_t count,
                          std::span<std::uint8_t> images) const;

    /// Whole columns [N].
    std::vector<std::int32_t> labels() const;  ///< index into classes(), -1 none
    std::vector<Part> parts() const;
    std::vector<std::int64_t> groups() const;        ///< rows of one group are in one part
    std::vector<std::int64_t> duplicate_of() const;  ///< row of the image that it repeats, -1 none
    std::vector<std::uint64_t> checksums() const;    ///< XXH3 of the row's stored pixels
    std::vector<std::string> paths() const;
    std::vector<double> pixel_sizes() const;  ///< of the original image [m], NaN unknown
    std::vector<std::array<float, 2>> scales()
        const;  ///< original pixels per stored one: rows, columns
    /// The SEM records as JSON, rows [first, first + count).
    std::vector<std::string> metadata(std::int64_t first, std::int64_t count) const;

    std::vector<std::string> reject_paths() const;
    std::vector<std::string> reject_causes() const;

    /// The rows of one part, ascending.
    std::vector<std::int64_t> rows_of(Part part) const;

  private:
    ArtefactReader file_;
    std::int64_t rows_ = 0;
    int height_ = 0, width_ = 0;
    std::vector<std::string> classes_;
};

/// The rows of a corpus that one rank holds, ascending; over all ranks each row once.
struct CorpusRows {
    int height = 0, width = 0;
    std::vector<std::int64_t> row;     ///< [n] which row of the corpus
    std::vector<std::uint8_t> images;  ///< [n, height, width]
    std::vector<std::string> path;     ///< [n], as all below
    std::vector<std::uint64_t> checksum;
    std::vector<double> pixel_size;  ///< [m]
    std::vector<std::array<float, 2>> scale;
    std::vector<std::string> metadata;  ///< JSON
};

/// What every rank knows of all rows [N], and the names around them.
struct CorpusTable {
    std::vector<std::string> classes;
    std::vector<std::int32_t> label;
    std::vector<std::int64_t> group, duplicate_of;
    std::vector<Part> part;
    std::vector<std::string> reject_path, reject_cause;
};

/// Writes corpus.h5, rows in order, whichever rank holds them. The content does not depend on the
/// number of ranks. Images pass between ranks in pieces, so a rank needs about 64 MiB beyond its
/// rows. Collective. throws as ArtefactWriter does
///
/// writer: of format "corpus", made before long work, so that an output that cannot be written is
/// known at once
void write_corpus(ArtefactWriter& writer, const CorpusRows& rows, const CorpusTable& table,
                  const Provenance& provenance, const comm::Communicator& comm);
void write_corpus(const std::string& path, const CorpusRows& rows, const CorpusTable& table,
                  const Provenance& provenance, const comm::Communicator& comm);

}  // namespace nanoatlas::store
