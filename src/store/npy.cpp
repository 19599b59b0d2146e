#include "store/npy.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include "base/check.hpp"

namespace nanoatlas::store {
namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::int64_t longest_header = 1 << 20;  // bytes; NumPy's own are below 200
constexpr std::size_t most_dimensions = 32;       // as in NumPy

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
    throw InputError(
        fmt::format("cannot read '{}': {}; write it again with numpy.save", path, why));
}

/// The text between a key of the header's dictionary and what ends its value.
/// {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class Dictionary {
  public:
    Dictionary(const std::string& path, std::string_view text) : path_(path), text_(text) {}

    std::string quoted(std::string_view key) const {
        const auto value = after(key);
        const auto end = value.empty() ? std::string_view::npos : value.find(value.front(), 1);
        if (value.empty() || (value.front() != '\'' && value.front() != '"') ||
            end == std::string_view::npos)
            refuse(path_, fmt::format("'{}' in its header is no plain type", key));
        return std::string(value.substr(1, end - 1));
    }
    bool truth(std::string_view key) const {
        const auto value = after(key);
        if (value.starts_with("True")) return true;
        if (value.starts_with("False")) return false;
        refuse(path_, fmt::format("'{}' in its header is neither True nor False", key));
    }
    std::vector<std::int64_t> tuple(std::string_view key) const {
        auto value = after(key);
        const auto end = value.find(')');
        if (!value.starts_with('(') || end == std::string_view::npos)
            refuse(path_, fmt::format("'{}' in its header is no tuple", key));
        value = value.substr(1, end - 1);
        std::vector<std::int64_t> lengths;
        while (!value.empty()) {
            const auto comma = std::min(value.find(','), value.size());
            const auto length = whole_number(value.substr(0, comma));
            if (length) lengths.push_back(*length);
            value.remove_prefix(std::min(comma + 1, value.size()));
        }
        if (lengths.size() > most_dimensions)
            refuse(path_, fmt::format("it has {} dimensions", lengths.size()));
        return lengths;
    }

  private:
    std::string_view after(std::string_view key) const {
        for (const char quote : {'\'', '"'}) {
            const auto name = std::string(1, quote).append(key).append(1, quote);
            const auto found = text_.find(name);
            if (found == std::string_view::npos) continue;
            auto rest = text_.substr(found + name.size());
            const auto start = rest.find_first_not_of(" :");
            return start == std::string_view::npos ? std::string_view() : rest.substr(start);
        }
        refuse(path_, fmt::format("its header has no '{}'", key));
    }
    /// Nothing for blanks (the end of "(3,)").
    std::optional<std::int64_t> whole_number(std::string_view digits) const {
        std::int64_t number = 0;
        bool any = false;
        for (const char c : digits) {
            if (c == ' ' || c == 'L') continue;  // NumPy under Python 2 wrote 3L
            if (c < '0' || c > '9' || number > std::numeric_limits<std::int64_t>::max() / 10 - 1)
                refuse(path_, fmt::format("'{}' in its shape is no length", digits));
            number = number * 10 + (c - '0');
            any = true;
        }
        return any ? std::optional(number) : std::nullopt;
    }

    const std::string& path_;
    std::string_view text_;
};

std::ifstream open_binary(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    VALIDATE(file && !std::filesystem::is_directory(path),
             "cannot read '{}': no such file, or no permission; check the name", path);
    return file;
}

/// The text of the header; leaves the file at the first byte of the data.
std::string header_text(const std::string& path, std::ifstream& file) {
    char start[8] = {};
    file.read(start, sizeof start);
    if (!file || std::string_view(start, magic.size()) != magic) refuse(path, "it is no .npy file");
    const int version = static_cast<unsigned char>(start[6]);
    if (version < 1 || version > 3)
        refuse(path, fmt::format("its format version is {}, not 1 to 3", version));
    unsigned char bytes[4] = {};
    file.read(reinterpret_cast<char*>(bytes), version == 1 ? 2 : 4);
    const std::int64_t length =
        bytes[0] + 256LL * bytes[1] + 65536LL * bytes[2] + 16777216LL * bytes[3];
    if (!file || length > longest_header)
        refuse(path, fmt::format("its header claims {} bytes", length));
    std::string text(static_cast<std::size_t>(length), '\0');
    file.read(text.data(), length);
    if (!file) refuse(path, "it ends within its header");
    return text;
}

void set_type(NpyHeader& header, const std::string& path, const std::string& type) {
    const bool sized = type.size() == 3 && type[2] >= '1' && type[2] <= '8';
    header.kind = sized ? type[1] : '?';
    header.item_size = sized ? type[2] - '0' : 0;
    const bool power = std::has_single_bit(static_cast<unsigned>(header.item_size));
    const bool known = (header.kind == 'b' && header.item_size == 1) ||
                       (header.kind == 'f' && power && header.item_size >= 2) ||
                       ((header.kind == 'i' || header.kind == 'u') && power);
    if (!known)
        refuse(path,
               fmt::format("its type '{}' is none of f2 f4 f8, i1 to i8, u1 to u8, b1", type));
    const bool little = std::endian::native == std::endian::little;
    header.swapped = header.item_size > 1 && type[0] == (little ? '>' : '<');
}

void check_size(const NpyHeader& header, const std::string& path) {
    const bool empty = std::find(header.shape.begin(), header.shape.end(), 0) != header.shape.end();
    const auto held =
        (static_cast<std::int64_t>(std::filesystem::file_size(path)) - header.data_offset) /
        header.item_size;
    // The lengths of an empty array need no data, but their product must still fit 64 bits.
    const auto most = empty ? std::numeric_limits<std::int64_t>::max() : held;
    std::int64_t count = 1;
    for (const auto length : header.shape) {
        if (length > most / count)
            refuse(path, fmt::format("its header claims more than the {} values in it", held));
        count *= std::max<std::int64_t>(length, 1);
    }
    if (!empty && count > held) refuse(path, "it ends within its data");
}

float half_to_float(std::uint16_t half) {
    const int exponent = (half >> 10) & 31;
    const int fraction = half & 1023;
    const float sign = (half & 0x8000) != 0 ? -1.0f : 1.0f;
    if (exponent == 31)
        return fraction == 0 ? sign * std::numeric_limits<float>::infinity()
                             : std::numeric_limits<float>::quiet_NaN();
    if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
    return sign * std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
}

template <class Stored, class T>
void convert_as(std::span<const char> bytes, bool half, T* values, std::int64_t stride) {
    for (std::size_t i = 0; i < bytes.size() / sizeof(Stored); ++i) {
        Stored stored;
        std::memcpy(&stored, bytes.data() + i * sizeof(Stored), sizeof(Stored));
        if constexpr (std::is_same_v<Stored, std::uint16_t>)
            values[static_cast<std::int64_t>(i) * stride] =
                half ? static_cast<T>(half_to_float(stored)) : static_cast<T>(stored);
        else  // NOLINTNEXTLINE(bugprone-signed-char-misuse): i1 holds numbers, not characters
            values[static_cast<std::int64_t>(i) * stride] = static_cast<T>(stored);
    }
}

/// Value i goes to values[i * stride].
template <class T>
void convert(std::span<char> bytes, const NpyHeader& header, T* values, std::int64_t stride) {
    const auto size = static_cast<std::size_t>(header.item_size);
    if (header.swapped)
        for (std::size_t i = 0; i < bytes.size(); i += size)
            std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(i),
                         bytes.begin() + static_cast<std::ptrdiff_t>(i + size));
    const bool is_signed = header.kind == 'i';
    switch (header.item_size) {
        case 1:
            return is_signed ? convert_as<std::int8_t>(bytes, false, values, stride)
                             : convert_as<std::uint8_t>(bytes, false, values, stride);
        case 2:
            return is_signed ? convert_as<std::int16_t>(bytes, false, values, stride)
                             : convert_as<std::uint16_t>(bytes, header.is_float(), values, stride);
        case 4:
            if (header.is_float()) return convert_as<float>(bytes, false, values, stride);
            return is_signed ? convert_as<std::int32_t>(bytes, false, values, stride)
                             : convert_as<std::uint32_t>(bytes, false, values, stride);
        default:
            if (header.is_float()) return convert_as<double>(bytes, false, values, stride);
            return is_signed ? convert_as<std::int64_t>(bytes, false, values, stride)
                             : convert_as<std::uint64_t>(bytes, false, values, stride);
    }
}

/// Reads pieces of a file and converts them.
template <class T>
class PieceReader {
  public:
    PieceReader(const std::string& path, const NpyHeader& header)
        : path_(path), header_(header), file_(open_binary(path)) {}

    /// count values from number `from` on; value i goes to values[i * stride].
    void read(std::int64_t from, std::int64_t count, T* values, std::int64_t stride) {
        constexpr std::int64_t most = 1 << 20;
        file_.seekg(header_.data_offset + from * header_.item_size);
        if (stride == 1 && is_stored_as_is()) return read_bytes(values, count * header_.item_size);
        for (std::int64_t done = 0; done < count; done += most) {
            const auto now = std::min(most, count - done);
            buffer_.resize(static_cast<std::size_t>(now * header_.item_size));
            read_bytes(buffer_.data(), std::ssize(buffer_));
            convert(std::span<char>(buffer_), header_, values + done * stride, stride);
        }
    }

  private:
    bool is_stored_as_is() const {
        return header_.kind == (std::is_floating_point_v<T> ? 'f' : 'i') &&
               header_.item_size == sizeof(T) && !header_.swapped;
    }
    void read_bytes(void* to, std::int64_t count) {
        file_.read(static_cast<char*>(to), count);
        if (!file_) refuse(path_, "it ends within its data");
    }

    const std::string& path_;
    const NpyHeader& header_;
    std::ifstream file_;
    std::vector<char> buffer_;
};

/// Where value r of a row in Fortran order (second index fastest) stands in C order.
std::int64_t position_in_row(std::int64_t r, const std::vector<std::int64_t>& shape) {
    std::int64_t position = 0, stride = 1;
    std::vector<std::int64_t> index;
    for (std::size_t d = 1; d < shape.size(); ++d) {
        index.push_back(r % shape[d]);
        r /= shape[d];
    }
    for (std::size_t d = shape.size(); d-- > 1;) {
        position += index[d - 1] * stride;
        stride *= shape[d];
    }
    return position;
}

}  // namespace

std::int64_t NpyHeader::row_length() const {
    std::int64_t length = 1;
    for (std::size_t d = 1; d < shape.size(); ++d) length *= shape[d];
    return length;
}

NpyHeader read_npy_header(const std::string& path) {
    auto file = open_binary(path);
    const auto text = header_text(path, file);
    const Dictionary dictionary(path, text);
    NpyHeader header;
    header.data_offset = static_cast<std::int64_t>(file.tellg());
    set_type(header, path, dictionary.quoted("descr"));
    header.fortran_order = dictionary.truth("fortran_order");
    header.shape = dictionary.tuple("shape");
    check_size(header, path);
    return header;
}

template <class T>
std::vector<T> read_npy_rows(const std::string& path, const NpyHeader& header, std::int64_t first,
                             std::int64_t count) {
    std::vector<T> values;
    read_npy_rows_into(path, header, first, count, values);
    return values;
}

template <class T>
void read_npy_rows_into(const std::string& path, const NpyHeader& header, std::int64_t first,
                        std::int64_t count, std::vector<T>& values) {
    VALIDATE(first >= 0 && count >= 0 && first <= header.rows() - count,
             "'{}' has {} rows; rows {} to {} are asked for", path, header.rows(), first,
             first + count);
    const auto length = header.row_length();
    values.resize(static_cast<std::size_t>(count * length));
    if (values.empty()) return;
    PieceReader<T> reader(path, header);
    if (!header.fortran_order) return reader.read(first * length, count * length, values.data(), 1);
    for (std::int64_t r = 0; r < length; ++r)
        reader.read(r * header.rows() + first, count,
                    values.data() + position_in_row(r, header.shape), length);
}

template <class T>
NpyArray<T> read_npy(const std::string& path) {
    const auto header = read_npy_header(path);
    return {header.shape, read_npy_rows<T>(path, header, 0, header.rows())};
}

template <class T>
std::string npy_header_bytes(const std::vector<std::int64_t>& shape) {
    const char kind = std::is_floating_point_v<T> ? 'f' : 'i';
    const char order = std::endian::native == std::endian::little ? '<' : '>';
    std::string lengths;
    for (const auto length : shape) lengths += fmt::format("{}, ", length);
    std::string text = fmt::format("{{'descr': '{}{}{}', 'fortran_order': False, 'shape': ({}), }}",
                                   order, kind, sizeof(T), lengths);
    const std::size_t fixed = magic.size() + 4;  // version and length
    text.append(64 - (fixed + text.size() + 1) % 64, ' ').push_back('\n');
    std::string bytes(magic);
    bytes += {'\x01', '\x00', static_cast<char>(text.size() % 256),
              static_cast<char>(text.size() / 256)};
    return bytes + text;
}

template std::vector<float> read_npy_rows(const std::string&, const NpyHeader&, std::int64_t,
                                          std::int64_t);
template std::vector<double> read_npy_rows(const std::string&, const NpyHeader&, std::int64_t,
                                           std::int64_t);
template std::vector<std::int64_t> read_npy_rows(const std::string&, const NpyHeader&, std::int64_t,
                                                 std::int64_t);
template void read_npy_rows_into(const std::string&, const NpyHeader&, std::int64_t, std::int64_t,
                                 std::vector<float>&);
template void read_npy_rows_into(const std::string&, const NpyHeader&, std::int64_t, std::int64_t,
                                 std::vector<double>&);
template NpyArray<float> read_npy(const std::string&);
template NpyArray<double> read_npy(const std::string&);
template NpyArray<std::int64_t> read_npy(const std::string&);
template std::string npy_header_bytes<float>(const std::vector<std::int64_t>&);
template std::string npy_header_bytes<double>(const std::vector<std::int64_t>&);
template std::string npy_header_bytes<std::int32_t>(const std::vector<std::int64_t>&);
template std::string npy_header_bytes<std::int64_t>(const std::vector<std::int64_t>&);

}  // namespace nanoatlas::store
