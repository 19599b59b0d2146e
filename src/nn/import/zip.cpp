#include "nn/import/zip.hpp"

#include <zlib.h>

#include <algorithm>

#include "base/check.hpp"

namespace nanoatlas::nn {

namespace {

constexpr std::uint32_t local_signature = 0x04034b50, directory_signature = 0x02014b50,
                        end_signature = 0x06054b50, end64_signature = 0x06064b50,
                        locator64_signature = 0x07064b50;
constexpr std::uint32_t in_zip64 = 0xffffffff;  ///< a 32-bit field whose value is elsewhere
constexpr std::uint16_t encrypted = 1, stored = 0, deflated = 8;
constexpr std::size_t end_size = 22, locator_size = 20;
constexpr std::uint64_t most_entries = 1'000'000;
/// Deflate cannot pack tighter than 1 to 1032.
constexpr std::uint64_t tightest_packing = 1032;
constexpr std::uint64_t most_inflated = 0xffffffff;

/// Position of the end record: the last one whose comment reaches to the end of the file.
std::size_t find_end_record(Bytes bytes) {
    for (std::size_t comment = 0; comment <= 0xffff && comment + end_size <= bytes.size();
         ++comment) {
        ByteReader reader(bytes);
        reader.seek(bytes.size() - end_size - comment);
        if (reader.u32() != end_signature) continue;
        reader.take(16);
        if (reader.u16() == comment) return bytes.size() - end_size - comment;
    }
    throw InputError("the archive's directory is missing (the file is truncated)");
}

struct Directory {
    std::uint64_t offset, entries;
};

Directory find_directory(Bytes bytes) {
    const std::size_t end = find_end_record(bytes);
    ByteReader reader(bytes);
    reader.seek(end + 10);
    Directory directory{.offset = 0, .entries = reader.u16()};
    reader.u32();
    directory.offset = reader.u32();
    const bool is_zip64 = directory.entries == 0xffff || directory.offset == in_zip64;
    if (is_zip64 && end >= locator_size) {
        reader.seek(end - locator_size);
        if (reader.u32() == locator64_signature) {
            reader.u32();
            reader.seek(reader.u64());
            VALIDATE(reader.u32() == end64_signature,
                     "the archive's ZIP64 directory is missing (damaged)");
            reader.take(28);
            directory.entries = reader.u64();
            reader.u64();
            directory.offset = reader.u64();
        }
    }
    return directory;
}

/// Takes from an entry's extra fields what did not fit into 32 bits.
void read_zip64_extra(Bytes extra, std::uint64_t& size, std::uint64_t& packed_size,
                      std::uint64_t& header_offset) {
    ByteReader reader(extra);
    while (reader.remaining() >= 4) {
        const auto id = reader.u16();
        ByteReader field(reader.take(reader.u16()));
        if (id != 1) continue;
        for (auto* value : {&size, &packed_size, &header_offset})
            if (*value == in_zip64) *value = field.u64();
    }
}

std::uint32_t crc_of(Bytes bytes) {
    return static_cast<std::uint32_t>(
        crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace

bool is_zip(Bytes bytes) {
    return bytes.size() >= 4 && ByteReader(bytes).u32() == local_signature;
}

ZipArchive::ZipArchive(Bytes bytes) : bytes_(bytes), packed_left_(bytes.size()) {
    const auto directory = find_directory(bytes);
    VALIDATE(directory.entries <= most_entries, "the archive announces {} entries (forged)",
             directory.entries);
    read_directory(directory.offset, directory.entries);
}

void ZipArchive::read_directory(std::uint64_t offset, std::uint64_t entries) {
    ByteReader reader(bytes_);
    reader.seek(offset);
    for (std::uint64_t i = 0; i < entries; ++i) {
        VALIDATE(reader.u32() == directory_signature,
                 "entry {} of the archive's directory is damaged", i);
        reader.u32();
        Entry entry{};
        entry.flags = reader.u16();
        entry.method = reader.u16();
        reader.u32();
        entry.crc = reader.u32();
        entry.packed_size = reader.u32();
        entry.size = reader.u32();
        const auto name_size = reader.u16(), extra_size = reader.u16(), comment_size = reader.u16();
        reader.take(8);
        entry.header_offset = reader.u32();
        const auto name = reader.text(name_size);
        read_zip64_extra(reader.take(extra_size), entry.size, entry.packed_size,
                         entry.header_offset);
        reader.take(comment_size);
        VALIDATE(entries_.emplace(name, entry).second, "the archive has two entries '{}' (forged)",
                 printable(name));
    }
}

std::vector<std::string> ZipArchive::names() const {
    std::vector<std::string> names;
    for (const auto& [name, entry] : entries_) names.push_back(name);
    return names;
}

Bytes ZipArchive::read(const std::string& name) {
    if (const auto known = contents_.find(name); known != contents_.end()) return known->second;
    const auto found = entries_.find(name);
    VALIDATE(found != entries_.end(), "the archive has no entry '{}' (incomplete)",
             printable(name));
    const auto& entry = found->second;
    VALIDATE((entry.flags & encrypted) == 0, "entry '{}' is encrypted", printable(name));
    VALIDATE(entry.method == stored || entry.method == deflated,
             "entry '{}' is packed by method {} (stored and deflated ones are read)",
             printable(name), entry.method);
    VALIDATE(entry.method == deflated || entry.packed_size == entry.size,
             "entry '{}' is stored in {} bytes but has {} (forged)", printable(name),
             entry.packed_size, entry.size);
    const Bytes content = entry.method == stored ? packed(name, entry) : inflate(name, entry);
    VALIDATE(crc_of(content) == entry.crc, "entry '{}' is damaged (its checksum is wrong)",
             printable(name));
    contents_.emplace(name, content);
    return content;
}

Bytes ZipArchive::packed(const std::string& name, const Entry& entry) {
    ByteReader reader(bytes_);
    reader.seek(entry.header_offset);
    VALIDATE(reader.u32() == local_signature, "entry '{}' has no header at byte {} (damaged)",
             printable(name), entry.header_offset);
    reader.take(22);
    const auto name_size = reader.u16(), extra_size = reader.u16();
    reader.take(name_size);
    reader.take(extra_size);
    const Bytes bytes = reader.take(entry.packed_size);
    VALIDATE(entry.packed_size <= packed_left_, "the archive's entries overlap (forged)");
    packed_left_ -= entry.packed_size;
    return bytes;
}

Bytes ZipArchive::inflate(const std::string& name, const Entry& entry) {
    const Bytes input = packed(name, entry);
    VALIDATE(entry.size <= most_inflated && entry.size / tightest_packing <= input.size(),
             "entry '{}' claims to hold {} bytes in {} (forged)", printable(name), entry.size,
             input.size());
    std::uint64_t held = entry.size;
    for (const auto& content : inflated_) held += content.size();
    VALIDATE(
        held <= most_inflated,
        "the archive inflates to more than 4 GiB (forged, or pack it again without compression)");

    std::vector<std::byte> output(static_cast<std::size_t>(entry.size));
    z_stream stream{};
    VALIDATE(inflateInit2(&stream, -MAX_WBITS) == Z_OK, "zlib does not start");
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(input.data()));
    stream.avail_in = static_cast<uInt>(std::min<std::size_t>(input.size(), UINT32_MAX));
    stream.next_out = reinterpret_cast<Bytef*>(output.data());
    stream.avail_out = static_cast<uInt>(std::min<std::size_t>(output.size(), UINT32_MAX));
    const int status = ::inflate(&stream, Z_FINISH);
    const auto made = stream.total_out;
    inflateEnd(&stream);
    VALIDATE(status == Z_STREAM_END && made == entry.size,
             "entry '{}' does not inflate to its {} bytes (damaged)", printable(name), entry.size);
    return inflated_.emplace_back(std::move(output));
}

}  // namespace nanoatlas::nn
