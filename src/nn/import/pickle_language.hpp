// What of the pickle language is allowed: opcodes and globals.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "nn/import/element.hpp"

namespace nanoatlas::nn {

/// The opcodes by CPython's names; those that are missing here are refused.
enum PickleOpcode : std::uint8_t {
    PROTO = 0x80,
    FRAME = 0x95,
    STOP = '.',
    MARK = '(',
    POP_MARK = '1',
    MEMOIZE = 0x94,
    BINPUT = 'q',
    LONG_BINPUT = 'r',
    BINGET = 'h',
    LONG_BINGET = 'j',
    NONE = 'N',
    NEWTRUE = 0x88,
    NEWFALSE = 0x89,
    BININT = 'J',
    BININT1 = 'K',
    BININT2 = 'M',
    LONG1 = 0x8a,
    BINFLOAT = 'G',
    SHORT_BINSTRING = 'U',
    BINSTRING = 'T',
    SHORT_BINBYTES = 'C',
    BINBYTES = 'B',
    SHORT_BINUNICODE = 0x8c,
    BINUNICODE = 'X',
    BINUNICODE8 = 0x8d,
    EMPTY_LIST = ']',
    APPEND = 'a',
    APPENDS = 'e',
    EMPTY_SET = 0x8f,
    ADDITEMS = 0x90,
    EMPTY_TUPLE = ')',
    TUPLE1 = 0x85,
    TUPLE2 = 0x86,
    TUPLE3 = 0x87,
    TUPLE = 't',
    EMPTY_DICT = '}',
    SETITEM = 's',
    SETITEMS = 'u',
    GLOBAL = 'c',
    STACK_GLOBAL = 0x93,
    REDUCE = 'R',
    NEWOBJ = 0x81,
    BUILD = 'b',
    BINPERSID = 'Q',
};

/// global: "module name", as "torch FloatStorage".
bool is_allowed_global(std::string_view global);

/// The format of a storage class's numbers; none if it is no such class.
std::optional<Element> find_storage_type(std::string_view global);

}  // namespace nanoatlas::nn
