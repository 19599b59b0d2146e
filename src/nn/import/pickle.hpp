// Reads the part of Python's pickle language that PyTorch's weight files use. Nothing is executed:
// opcodes and globals outside a short allow-list are refused by name, and what is read are inert
// values in an arena.
//
// Source: CPython's Lib/pickletools.py (protocols 2 to 4), torch/serialization.py, torch/_utils.py.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "nn/import/bytes.hpp"
#include "nn/import/element.hpp"

namespace nanoatlas::nn {

using NodeId = std::uint32_t;

/// A value of a pickle; others are referred to by number, so that no input can build a tree that
/// is too deep to walk or to destroy.
struct PickleNode {
    enum class Kind {
        none,
        boolean,
        integer,
        real,
        text,  ///< also bytes, and integers above 64 bits as their bytes
        list,  ///< also sets
        tuple,
        dict,     ///< items: key, value, key, value, ...
        global,   ///< text: "torch._utils _rebuild_tensor_v2"
        storage,  ///< integer: index into Pickle::storages
        tensor,   ///< items: storage, offset, sizes, strides
        opaque,   ///< an allowed object that we have no use for
    };
    Kind kind = Kind::none;
    std::int64_t integer = 0;
    double real = 0;
    std::string text = {};
    std::vector<NodeId> items = {};
};

/// Numbers kept outside the pickle, under a key.
struct PickleStorage {
    std::string key;
    Element element;
    std::uint64_t elements;
};

struct Pickle {
    std::vector<PickleNode> nodes;
    std::vector<PickleStorage> storages;  ///< no key twice
    NodeId root = 0;

    const PickleNode& operator[](NodeId id) const { return nodes[id]; }
    const PickleNode& top() const { return nodes[root]; }
    /// The value under a text key of a dict, the last one of several; nullptr if there is none.
    const PickleNode* find(const PickleNode& dict, std::string_view key) const;
};

/// One pickle, up to and with its STOP. throws InputError on anything else than the allow-list, a
/// malformed or truncated program, or one that makes more than 2 million values
Pickle read_pickle(ByteReader& reader);

}  // namespace nanoatlas::nn
