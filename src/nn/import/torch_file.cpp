#include "nn/import/torch_file.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <set>

#include "base/check.hpp"
#include "nn/import/pickle.hpp"
#include "nn/import/zip.hpp"

namespace nanoatlas::nn {

namespace {

using Kind = PickleNode::Kind;
/// The bytes of a storage; at least elements * size_of(element).
using FindStorage = std::function<Bytes(const PickleStorage&)>;

bool holds_tensors(const Pickle& pickle, const PickleNode& node) {
    if (node.kind != Kind::dict) return false;
    for (std::size_t i = 1; i < node.items.size(); i += 2)
        if (pickle[node.items[i]].kind == Kind::tensor) return true;
    return false;
}

std::string list_keys(const Pickle& pickle, const PickleNode& node) {
    std::vector<std::string> keys;
    if (node.kind == Kind::dict)
        for (std::size_t i = 0; i < node.items.size() && keys.size() < 8; i += 2)
            keys.push_back(printable(pickle[node.items[i]].text));
    return fmt::format("{}", fmt::join(keys, ", "));
}

/// The dict of tensors at the top or, in a training checkpoint, one level below: under a usual key,
/// or the only one that is there.
const PickleNode& find_state_dict(const Pickle& pickle) {
    const auto& top = pickle.top();
    if (holds_tensors(pickle, top)) return top;
    for (const auto* key : {"state_dict", "model_state_dict", "model", "net"})
        if (const auto* inner = pickle.find(top, key);
            inner != nullptr && holds_tensors(pickle, *inner))
            return *inner;
    std::set<NodeId> found;  // each once, however often it is referred to
    if (top.kind == Kind::dict)
        for (std::size_t i = 1; i < top.items.size(); i += 2) found.insert(top.items[i]);
    std::erase_if(found, [&](NodeId id) { return !holds_tensors(pickle, pickle[id]); });
    VALIDATE(!found.empty(),
             "it holds no dict of tensors, at the top or one level below (keys found: {})",
             list_keys(pickle, top));
    VALIDATE(found.size() == 1,
             "it holds {} dicts of tensors, none of them under state_dict, model_state_dict, model "
             "or net (keys found: {})",
             found.size(), list_keys(pickle, top));
    return pickle[*found.begin()];
}

std::vector<std::int64_t> integers(const Pickle& pickle, NodeId tuple, const std::string& name) {
    std::vector<std::int64_t> values;
    for (const NodeId id : pickle[tuple].items) {
        VALIDATE(pickle[id].kind == Kind::integer && values.size() < 8,
                 "sizes or strides of tensor '{}' are not a few whole numbers (forged)",
                 printable(name));
        values.push_back(pickle[id].integer);
    }
    return values;
}

/// Where a tensor's elements lie in its storage.
struct View {
    std::int64_t offset;
    std::vector<std::int64_t> sizes, strides;

    bool is_contiguous() const {
        std::int64_t expected = 1;
        for (std::size_t d = sizes.size(); d-- > 0;) {
            if (sizes[d] != 1 && strides[d] != expected) return false;
            expected *= sizes[d];
        }
        return true;
    }
};

/// The elements that a view of at least one element needs its storage to have.
std::uint64_t needed_elements(const View& view, std::uint64_t available, const std::string& name) {
    const auto outside = [&] {
        return InputError(
            fmt::format("tensor '{}' reaches outside its storage of {} elements (forged)",
                        printable(name), available));
    };
    const auto most = static_cast<std::int64_t>(available);
    if (view.offset < 0 || view.offset >= most) throw outside();
    std::int64_t last = view.offset;
    for (std::size_t d = 0; d < view.sizes.size(); ++d) {
        const std::int64_t steps = view.sizes[d] - 1;
        if (view.strides[d] < 0 || (steps > 0 && view.strides[d] > (most - 1 - last) / steps))
            throw outside();
        last += steps * view.strides[d];
    }
    return static_cast<std::uint64_t>(last) + 1;
}

/// The view's elements one after the other, the last dimension fastest.
std::vector<std::byte> gather(const View& view, Bytes storage, std::size_t count,
                              std::size_t element_size) {
    std::vector<std::byte> packed(count * element_size);
    std::vector<std::int64_t> index(view.sizes.size(), 0);
    std::int64_t place = view.offset;
    for (std::size_t i = 0; i < count; ++i) {
        std::memcpy(packed.data() + i * element_size,
                    storage.data() + static_cast<std::size_t>(place) * element_size, element_size);
        for (std::size_t d = index.size(); d-- > 0;) {
            place += view.strides[d];
            if (++index[d] < view.sizes[d]) break;
            place -= index[d] * view.strides[d];
            index[d] = 0;
        }
    }
    return packed;
}

/// Makes tensors of a pickle's descriptions, within a budget of elements: overlapping views must
/// not blow a small file up.
class TensorBuilder {
  public:
    TensorBuilder(const Pickle& pickle, FindStorage find_storage, std::uint64_t budget)
        : pickle_(pickle), find_storage_(std::move(find_storage)), budget_(budget) {}

    HostTensor build(const PickleNode& node, const std::string& name) {
        const auto& storage =
            pickle_.storages[static_cast<std::size_t>(pickle_[node.items[0]].integer)];
        const View view{pickle_[node.items[1]].integer, integers(pickle_, node.items[2], name),
                        integers(pickle_, node.items[3], name)};
        VALIDATE(view.sizes.size() == view.strides.size(),
                 "tensor '{}' has {} sizes but {} strides (forged)", printable(name),
                 view.sizes.size(), view.strides.size());
        HostTensor tensor{.shape = view.sizes, .values = {}};
        const auto count = count_elements(view.sizes, name);
        VALIDATE(count <= budget_,
                 "its tensors have more elements than the file can hold (forged; "
                 "tensor '{}' is one too many)",
                 printable(name));
        budget_ -= count;
        if (count == 0) return tensor;
        const auto needed = needed_elements(view, storage.elements, name);
        const Bytes bytes = find_storage_(storage).first(needed * size_of(storage.element));
        tensor.values.resize(count);
        fill(view, storage.element, bytes, tensor.values);
        return tensor;
    }

  private:
    static void fill(const View& view, Element element, Bytes bytes, std::span<float> values) {
        const std::size_t size = size_of(element), count = values.size();
        if (view.is_contiguous())
            convert(bytes.subspan(static_cast<std::size_t>(view.offset) * size, count * size),
                    element, values);
        else
            convert(gather(view, bytes, count, size), element, values);
    }

    const Pickle& pickle_;
    FindStorage find_storage_;
    std::uint64_t budget_;
};

TensorMap build_tensors(const Pickle& pickle, const FindStorage& find_storage,
                        std::size_t file_size) {
    const auto& dict = find_state_dict(pickle);
    TensorBuilder builder(pickle, find_storage, 2 * static_cast<std::uint64_t>(file_size));
    TensorMap tensors;
    for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
        const auto &key = pickle[dict.items[i]], &value = pickle[dict.items[i + 1]];
        if (value.kind != Kind::tensor) continue;
        VALIDATE(key.kind == Kind::text && key.text.size() <= 1000,
                 "a tensor has no name, or one of more than 1000 characters");
        tensors.insert_or_assign(key.text, builder.build(value, key.text));
    }
    return tensors;
}

Bytes checked_storage(Bytes bytes, const PickleStorage& storage) {
    VALIDATE(storage.elements <= bytes.size() / size_of(storage.element),
             "storage '{}' has {} bytes, too few for its {} elements (truncated)",
             printable(storage.key), bytes.size(), storage.elements);
    return bytes;
}

/// The magic number, the protocol version and the writer's byte order, a pickle each.
void read_legacy_header(ByteReader& reader) {
    constexpr std::string_view magic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
    VALIDATE(read_pickle(reader).top().text == magic,
             "it is a pickle, but not one that torch.save wrote");
    const auto version = read_pickle(reader).top().integer;
    VALIDATE(version == 1001, "version {} of PyTorch's legacy format is unknown (1001 is read)",
             version);
    const auto system = read_pickle(reader);
    const auto* little = system.find(system.top(), "little_endian");
    VALIDATE(little != nullptr && little->integer == 1, "it was written on a big-endian machine");
}

/// Behind the pickle: a list of keys, then for each its number of elements and its bytes.
std::map<std::string, Bytes> find_legacy_storages(ByteReader& reader, const Pickle& pickle) {
    std::map<std::string, const PickleStorage*> known;
    for (const auto& storage : pickle.storages) known.emplace(storage.key, &storage);
    const auto keys = read_pickle(reader);
    std::map<std::string, Bytes> found;
    for (const NodeId id : keys.top().items) {
        const auto& key = keys[id].text;
        const auto storage = known.find(key);
        VALIDATE(storage != known.end(), "it has a storage '{}' that no tensor uses (forged)",
                 printable(key));
        const auto elements = reader.u64();
        VALIDATE(elements == storage->second->elements,
                 "storage '{}' has {} elements, not {} (truncated or forged)", printable(key),
                 elements, storage->second->elements);
        const auto size = size_of(storage->second->element);
        VALIDATE(elements <= reader.remaining() / size,
                 "storage '{}' has {} elements but {} bytes are left (truncated)", printable(key),
                 elements, reader.remaining());
        found.emplace(key, reader.take(elements * size));
    }
    return found;
}

}  // namespace

bool is_pickle(Bytes bytes) {
    return bytes.size() >= 2 && bytes[0] == std::byte{0x80};
}

TensorMap read_torch_zip(Bytes bytes) {
    ZipArchive archive(bytes);
    constexpr std::string_view pickle_name = "data.pkl";
    const auto names = archive.names();
    const auto found = std::ranges::find_if(names, [&](const std::string& name) {
        return name == pickle_name || name.ends_with("/data.pkl");
    });
    VALIDATE(found != names.end(),
             "it is a ZIP archive without data.pkl (not written by torch.save)");
    const std::string folder = found->substr(0, found->size() - pickle_name.size());
    if (archive.has(folder + "byteorder"))
        VALIDATE(as_text(archive.read(folder + "byteorder")).starts_with("little"),
                 "it was written on a big-endian machine");
    ByteReader reader(archive.read(*found));
    const auto pickle = read_pickle(reader);
    std::map<std::string, Bytes> storages;
    return build_tensors(
        pickle,
        [&](const PickleStorage& storage) {
            auto& content = storages[storage.key];
            if (content.empty()) content = archive.read(folder + "data/" + storage.key);
            return checked_storage(content, storage);
        },
        bytes.size());
}

TensorMap read_torch_legacy(Bytes bytes) {
    ByteReader reader(bytes);
    read_legacy_header(reader);
    const auto pickle = read_pickle(reader);
    const auto storages = find_legacy_storages(reader, pickle);
    return build_tensors(
        pickle,
        [&](const PickleStorage& storage) {
            const auto found = storages.find(storage.key);
            VALIDATE(found != storages.end(), "storage '{}' is missing (truncated)",
                     printable(storage.key));
            return checked_storage(found->second, storage);
        },
        bytes.size());
}

}  // namespace nanoatlas::nn
