// Reads ZIP archives in memory: stored and deflated entries, ZIP64.
//
// Source: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "nn/import/bytes.hpp"

namespace nanoatlas::nn {

class ZipArchive {
  public:
    /// bytes must outlive the archive.
    /// throws InputError if the directory is missing, damaged, or points outside the file
    explicit ZipArchive(Bytes bytes);

    /// Names in alphabetical order.
    std::vector<std::string> names() const;
    bool has(const std::string& name) const { return entries_.contains(name); }

    /// An entry's content, checked against its CRC; valid as long as the archive and its bytes.
    /// throws InputError if there is none of that name, it is encrypted, packed by another method,
    /// damaged, shares bytes with others, or claims more than its packed size can hold
    Bytes read(const std::string& name);

  private:
    struct Entry {
        std::uint16_t flags, method;
        std::uint32_t crc;
        std::uint64_t packed_size, size, header_offset;
    };
    void read_directory(std::uint64_t offset, std::uint64_t entries);
    Bytes packed(const std::string& name, const Entry& entry);
    Bytes inflate(const std::string& name, const Entry& entry);

    Bytes bytes_;
    std::map<std::string, Entry> entries_;
    std::map<std::string, Bytes> contents_;  ///< of the entries that were read
    std::vector<std::vector<std::byte>> inflated_;
    std::uint64_t packed_left_;  ///< entries must not share bytes
};

/// True if the bytes begin as a ZIP archive does.
bool is_zip(Bytes bytes);

}  // namespace nanoatlas::nn
