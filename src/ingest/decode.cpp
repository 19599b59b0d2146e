#include "ingest/decode.hpp"

#include <algorithm>
#include <new>

#include "base/progress.hpp"
#include "image/codecs.hpp"
#include "metadata/record.hpp"

namespace nanoatlas::ingest {
namespace {

/// Pictures with a side below this are too small for a near likeness to mean anything.
constexpr int least_side_for_near_duplicates = 64;

/// One source, decoded or refused.
struct Item {
    std::string cause{};  ///< why it was refused; "" if it was not
    double pixel_size = 0;
    std::array<float, 2> scale{};
    std::string metadata{};
    image::Fingerprint fingerprint{};
    bool is_small = false;
};

std::string sidecar_text(const image::Source& source) try {
    if (source.sidecar.empty()) return "";
    const auto bytes = image::read_file(source.sidecar);
    return {bytes.begin(), bytes.end()};
} catch (const image::Unusable&) {
    return "";  // the image is as good without it
}

/// Fills pixels [size, size].
Item decode_one(const image::Source& source, const image::PrepareOptions& options,
                std::span<std::uint8_t> pixels) try {
    const auto picture = image::prepare(source, options);
    const auto record = metadata::read_record(picture, sidecar_text(source));
    std::copy(picture.pixels.begin(), picture.pixels.end(), pixels.begin());
    return {.cause = "",
            .pixel_size = metadata::pixel_size_of(record, picture),
            .scale = picture.scale,
            .metadata = metadata::to_json(record, picture),
            .fingerprint = image::fingerprint(picture.pixels, options.size),
            .is_small = std::min(picture.width, picture.height) < least_side_for_near_duplicates};
} catch (const std::bad_alloc&) {
    return {.cause = "needs more memory than there is"};
} catch (const std::exception& error) {
    return {.cause = error.what()};
}

/// The share in the order of the sources; decoding starts with the costliest.
class ShareDecoder {
  public:
    ShareDecoder(const std::vector<image::Source>& sources, const std::vector<std::int64_t>& share,
                 const image::PrepareOptions& options)
        : sources_(sources),
          options_(options),
          picture_size_(static_cast<std::size_t>(options.size) *
                        static_cast<std::size_t>(options.size)),
          source_(share),
          items_(share.size()) {
        std::sort(source_.begin(), source_.end());
        rows_.height = rows_.width = options.size;
        rows_.images.resize(share.size() * picture_size_);
        base::Progress progress("ingest/decode", static_cast<std::int64_t>(share.size()), "images");
#pragma omp parallel for schedule(dynamic, 1)
        for (const auto costliest : share) {
            const auto slot = static_cast<std::size_t>(
                std::lower_bound(source_.begin(), source_.end(), costliest) - source_.begin());
            items_[slot] = decode_one(source_at(slot), options_, pixels(slot));
            progress.advance();
        }
    }

    const std::vector<Item>& items() const {
        return items_;
    }
    const std::vector<std::int64_t>& source() const {
        return source_;
    }
    const image::Source& source_at(std::size_t slot) const {
        return sources_[static_cast<std::size_t>(source_[slot])];
    }

    /// The usable ones, closed up; number[source] is the row of each.
    store::CorpusRows take_rows(const std::vector<std::int64_t>& number) {
        std::size_t kept = 0;
        for (std::size_t slot = 0; slot < items_.size(); ++slot) {
            if (!items_[slot].cause.empty()) continue;
            if (kept != slot)
                std::copy_n(pixels(slot).begin(), picture_size_, pixels(kept).begin());
            ++kept;
            rows_.row.push_back(number[static_cast<std::size_t>(source_[slot])]);
            rows_.path.push_back(source_at(slot).path);
            rows_.checksum.push_back(items_[slot].fingerprint.exact);
            rows_.pixel_size.push_back(items_[slot].pixel_size);
            rows_.scale.push_back(items_[slot].scale);
            rows_.metadata.push_back(std::move(items_[slot].metadata));
        }
        rows_.images.resize(kept * picture_size_);
        return std::move(rows_);
    }

  private:
    std::span<std::uint8_t> pixels(std::size_t slot) {
        return std::span(rows_.images).subspan(slot * picture_size_, picture_size_);
    }

    const std::vector<image::Source>& sources_;
    image::PrepareOptions options_;
    std::size_t picture_size_;
    std::vector<std::int64_t> source_;
    std::vector<Item> items_;
    store::CorpusRows rows_;
};

/// Rejects of all ranks, in the order of the sources; their sources.
std::vector<std::int64_t> gather_rejects(const ShareDecoder& decoder,
                                         std::vector<image::Rejected>& rejected,
                                         const comm::Communicator& comm) {
    std::vector<std::int64_t> mine;
    std::vector<std::string> paths, causes;
    for (std::size_t slot = 0; slot < decoder.items().size(); ++slot) {
        const auto& cause = decoder.items()[slot].cause;
        if (cause.empty()) continue;
        mine.push_back(decoder.source()[slot]);
        paths.push_back(decoder.source_at(slot).path);
        causes.push_back(cause);
    }
    auto all = comm.all_gather(mine);
    paths = comm.all_gather(paths);
    causes = comm.all_gather(causes);
    std::vector<std::size_t> order(all.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return all[a] < all[b]; });
    for (const auto i : order) rejected.push_back({paths[i], causes[i]});
    return all;
}

struct RowFacts {
    std::int64_t row;
    image::Fingerprint fingerprint;
    std::uint64_t is_small;
};

}  // namespace

Decoded decode(const std::vector<image::Source>& sources, const Shares& shares,
               const image::PrepareOptions& options, const comm::Communicator& comm) {
    ShareDecoder decoder(sources, shares.of(comm.rank()), options);
    Decoded decoded;
    std::vector<std::int64_t> number(sources.size());
    for (const auto source : gather_rejects(decoder, decoded.rejected, comm))
        number[static_cast<std::size_t>(source)] = -1;
    for (std::size_t source = 0; source < sources.size(); ++source) {
        if (number[source] < 0) continue;
        number[source] = static_cast<std::int64_t>(decoded.source.size());
        decoded.source.push_back(static_cast<std::int64_t>(source));
    }

    std::vector<RowFacts> facts;
    for (std::size_t slot = 0; slot < decoder.items().size(); ++slot) {
        const auto& item = decoder.items()[slot];
        const auto row = number[static_cast<std::size_t>(decoder.source()[slot])];
        if (row >= 0) facts.push_back({row, item.fingerprint, item.is_small ? 1U : 0U});
    }
    decoded.rows = decoder.take_rows(number);
    decoded.fingerprint.resize(decoded.source.size());
    decoded.is_small.resize(decoded.source.size());
    for (const auto& fact : comm.all_gather(facts)) {
        decoded.fingerprint[static_cast<std::size_t>(fact.row)] = fact.fingerprint;
        decoded.is_small[static_cast<std::size_t>(fact.row)] =
            static_cast<std::uint8_t>(fact.is_small);
    }
    return decoded;
}

}  // namespace nanoatlas::ingest
