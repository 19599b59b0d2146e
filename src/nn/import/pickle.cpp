#include "nn/import/pickle.hpp"

#include <bit>
#include <unordered_map>
#include <utility>

#include "base/check.hpp"
#include "nn/import/pickle_language.hpp"

namespace nanoatlas::nn {

namespace {

using Kind = PickleNode::Kind;

constexpr std::size_t most_values = 2'000'000;
constexpr std::size_t longest_name = 200;

/// Runs a pickle program on a stack of node numbers.
class Unpickler {
  public:
    explicit Unpickler(ByteReader& reader) : reader_(reader) {}

    Pickle run() {
        while (true) {
            const std::size_t position = reader_.position();
            const std::uint8_t opcode = reader_.u8();
            if (opcode == STOP) break;
            VALIDATE(
                run_stack_opcode(opcode) || run_value_opcode(opcode) ||
                    run_container_opcode(opcode) || run_object_opcode(opcode),
                "pickle opcode 0x{:02x} at byte {} is not one that weights need (a program, or "
                "a damaged file)",
                opcode, position);
        }
        pickle_.root = pop();
        return std::move(pickle_);
    }

  private:
    bool run_stack_opcode(std::uint8_t opcode);
    bool run_value_opcode(std::uint8_t opcode);
    bool run_container_opcode(std::uint8_t opcode);
    bool run_object_opcode(std::uint8_t opcode);

    void push(PickleNode node) {
        charge(1 + node.items.size());
        pickle_.nodes.push_back(std::move(node));
        stack_.push_back(static_cast<NodeId>(pickle_.nodes.size() - 1));
    }
    void push(Kind kind) { push(PickleNode{.kind = kind}); }
    void push_integer(std::int64_t value) {
        push(PickleNode{.kind = Kind::integer, .integer = value});
    }
    void push_text(std::uint64_t length) {
        push(PickleNode{.kind = Kind::text, .text = reader_.text(length)});
    }
    void push_long();
    void push_global(const std::string& name);
    void push_storage();

    NodeId pop() {
        VALIDATE(!stack_.empty() && (marks_.empty() || stack_.size() > marks_.back()),
                 "the pickle takes a value from an empty stack (damaged or forged)");
        const NodeId id = stack_.back();
        stack_.pop_back();
        return id;
    }
    std::vector<NodeId> pop_to_mark();
    std::vector<NodeId> pop_last(std::size_t count);
    PickleNode& top() {
        const NodeId id = pop();
        stack_.push_back(id);
        return pickle_.nodes[id];
    }
    void put(std::uint64_t slot) {
        top();
        memo_[slot] = stack_.back();
    }
    void get(std::uint64_t slot);

    void extend(const std::vector<NodeId>& items, Kind kind);
    void call(NodeId function, NodeId arguments);
    void make_ordered_dict(const PickleNode& arguments);
    /// Every value and every item of a container counts, so that copies cannot multiply.
    void charge(std::size_t count) {
        charged_ += count;
        VALIDATE(charged_ <= most_values, "the pickle makes more than {} values (no network does)",
                 most_values);
    }

    ByteReader& reader_;
    Pickle pickle_;
    std::vector<NodeId> stack_;
    std::vector<std::size_t> marks_;
    std::unordered_map<std::uint64_t, NodeId> memo_;
    std::unordered_map<std::string, std::size_t> storage_of_key_;
    std::size_t charged_ = 0;
};

bool Unpickler::run_stack_opcode(std::uint8_t opcode) {
    switch (opcode) {
        case PROTO: {
            const int version = reader_.u8();
            VALIDATE(version >= 2 && version <= 4, "pickle protocol {} (2 to 4 are read)", version);
            return true;
        }
        case FRAME:
            reader_.u64();
            return true;
        case MARK:
            charge(1);
            marks_.push_back(stack_.size());
            return true;
        case POP_MARK:
            pop_to_mark();
            return true;
        case MEMOIZE:
            put(memo_.size());
            return true;
        case BINPUT:
            put(reader_.u8());
            return true;
        case LONG_BINPUT:
            put(reader_.u32());
            return true;
        case BINGET:
            get(reader_.u8());
            return true;
        case LONG_BINGET:
            get(reader_.u32());
            return true;
        default:
            return false;
    }
}

bool Unpickler::run_value_opcode(std::uint8_t opcode) {
    switch (opcode) {
        case NONE:
            push(Kind::none);
            return true;
        case NEWTRUE:
            push(PickleNode{.kind = Kind::boolean, .integer = 1});
            return true;
        case NEWFALSE:
            push(Kind::boolean);
            return true;
        case BININT:
            push_integer(static_cast<std::int32_t>(reader_.u32()));
            return true;
        case BININT1:
            push_integer(reader_.u8());
            return true;
        case BININT2:
            push_integer(reader_.u16());
            return true;
        case LONG1:
            push_long();
            return true;
        case BINFLOAT: {
            std::uint64_t bits = 0;  // big-endian, unlike all other numbers
            for (int i = 0; i < 8; ++i) bits = bits << 8 | reader_.u8();
            push(PickleNode{.kind = Kind::real, .real = std::bit_cast<double>(bits)});
            return true;
        }
        case SHORT_BINSTRING:
        case SHORT_BINBYTES:
        case SHORT_BINUNICODE:
            push_text(reader_.u8());
            return true;
        case BINSTRING:
        case BINBYTES:
        case BINUNICODE:
            push_text(reader_.u32());
            return true;
        case BINUNICODE8:
            push_text(reader_.u64());
            return true;
        default:
            return false;
    }
}

bool Unpickler::run_container_opcode(std::uint8_t opcode) {
    switch (opcode) {
        case EMPTY_LIST:
        case EMPTY_SET:
            push(Kind::list);
            return true;
        case APPEND:
            extend(pop_last(1), Kind::list);
            return true;
        case APPENDS:
        case ADDITEMS:
            extend(pop_to_mark(), Kind::list);
            return true;
        case EMPTY_TUPLE:
            push(Kind::tuple);
            return true;
        case TUPLE1:
        case TUPLE2:
        case TUPLE3:
            push(PickleNode{.kind = Kind::tuple, .items = pop_last(opcode - TUPLE1 + 1U)});
            return true;
        case TUPLE:
            push(PickleNode{.kind = Kind::tuple, .items = pop_to_mark()});
            return true;
        case EMPTY_DICT:
            push(Kind::dict);
            return true;
        case SETITEM:
            extend(pop_last(2), Kind::dict);
            return true;
        case SETITEMS:
            extend(pop_to_mark(), Kind::dict);
            return true;
        default:
            return false;
    }
}

bool Unpickler::run_object_opcode(std::uint8_t opcode) {
    switch (opcode) {
        case GLOBAL: {
            const std::string module = reader_.line(longest_name);
            push_global(module + ' ' + reader_.line(longest_name));
            return true;
        }
        case STACK_GLOBAL: {
            const auto names = pop_last(2);
            const auto &module = pickle_[names[0]], &name = pickle_[names[1]];
            VALIDATE(module.kind == Kind::text && name.kind == Kind::text &&
                         module.text.size() + name.text.size() <= longest_name,
                     "the pickle names a class by something else than a short text (forged)");
            push_global(module.text + ' ' + name.text);
            return true;
        }
        case REDUCE:
        case NEWOBJ: {
            const auto parts = pop_last(2);
            call(parts[0], parts[1]);
            return true;
        }
        case BUILD: {  // attributes of an object, such as state_dict's _metadata: of no use here
            pop();
            const Kind kind = top().kind;
            VALIDATE(kind == Kind::dict || kind == Kind::opaque || kind == Kind::tensor,
                     "the pickle sets attributes of a plain value (forged)");
            return true;
        }
        case BINPERSID:
            push_storage();
            return true;
        default:
            return false;
    }
}

void Unpickler::push_long() {
    const Bytes bytes = reader_.take(reader_.u8());
    if (bytes.size() > 8)
        return push(PickleNode{.kind = Kind::text, .text = std::string(as_text(bytes))});
    std::uint64_t value =
        !bytes.empty() && (bytes.back() >> 7) != std::byte{0} ? ~std::uint64_t{0} : 0;
    for (std::size_t i = bytes.size(); i-- > 0;)
        value = value << 8 | static_cast<std::uint64_t>(bytes[i]);
    push_integer(static_cast<std::int64_t>(value));
}

void Unpickler::push_global(const std::string& name) {
    VALIDATE(is_allowed_global(name),
             "the pickle asks for '{}' (a Python object, not weights; nothing of it is run)",
             printable(name));
    push(PickleNode{.kind = Kind::global, .text = name});
}

/// ('storage', torch.FloatStorage, key, location, elements[, view])
void Unpickler::push_storage() {
    const PickleNode identity = pickle_[pop()];
    const auto item = [&](std::size_t i) -> const PickleNode& {
        return pickle_[identity.items[i]];
    };
    VALIDATE(identity.kind == Kind::tuple &&
                 (identity.items.size() == 5 || identity.items.size() == 6) &&
                 item(0).text == "storage" && item(1).kind == Kind::global &&
                 item(2).kind == Kind::text && item(2).text.size() <= longest_name &&
                 item(4).kind == Kind::integer,
             "the pickle refers to something outside it that is no storage of numbers (a whole "
             "module, or forged)");
    const auto element = find_storage_type(item(1).text);
    VALIDATE(element,
             "'{}' is no storage of plain numbers (quantised or sparse weights are not read)",
             item(1).text);
    VALIDATE(item(4).integer >= 0, "storage '{}' has {} elements (forged)", printable(item(2).text),
             item(4).integer);
    VALIDATE(identity.items.size() == 5 || item(5).kind == Kind::none,
             "storage '{}' is a view of another (written before PyTorch 0.4)",
             printable(item(2).text));
    const PickleStorage storage{item(2).text, *element,
                                static_cast<std::uint64_t>(item(4).integer)};
    const auto [known, is_new] = storage_of_key_.try_emplace(storage.key, pickle_.storages.size());
    if (is_new) {
        pickle_.storages.push_back(storage);
    } else {
        const auto& first = pickle_.storages[known->second];
        VALIDATE(first.element == storage.element && first.elements == storage.elements,
                 "storage '{}' is described twice, differently (forged)", printable(storage.key));
    }
    push(PickleNode{.kind = Kind::storage, .integer = static_cast<std::int64_t>(known->second)});
}

std::vector<NodeId> Unpickler::pop_to_mark() {
    VALIDATE(!marks_.empty(), "the pickle ends a group that was never begun (damaged or forged)");
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<NodeId> items(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return items;
}

std::vector<NodeId> Unpickler::pop_last(std::size_t count) {
    std::vector<NodeId> items(count);
    for (std::size_t i = count; i-- > 0;) items[i] = pop();
    return items;
}

void Unpickler::get(std::uint64_t slot) {
    const auto found = memo_.find(slot);
    VALIDATE(found != memo_.end(), "the pickle recalls value {} that it never kept (damaged)",
             slot);
    charge(1);
    stack_.push_back(found->second);
}

void Unpickler::extend(const std::vector<NodeId>& items, Kind kind) {
    auto& target = top();
    if (target.kind == Kind::opaque) return;
    VALIDATE(target.kind == kind, "the pickle adds items to what is no {} (damaged or forged)",
             kind == Kind::dict ? "dict" : "list");
    VALIDATE(kind == Kind::list || items.size() % 2 == 0,
             "a dict of the pickle has a key without a value");
    charge(items.size());
    target.items.insert(target.items.end(), items.begin(), items.end());
}

void Unpickler::call(NodeId function, NodeId arguments) {
    VALIDATE(pickle_[function].kind == Kind::global && pickle_[arguments].kind == Kind::tuple,
             "the pickle calls what is no function (damaged or forged)");
    const std::string name = pickle_[function].text;
    const PickleNode given = pickle_[arguments];
    charge(given.items.size());
    if (name == "collections OrderedDict") return make_ordered_dict(given);
    if (name.starts_with("torch._utils _rebuild_parameter")) {
        VALIDATE(!given.items.empty() && pickle_[given.items[0]].kind == Kind::tensor,
                 "a parameter of the pickle has no tensor (forged)");
        stack_.push_back(given.items[0]);
        return;
    }
    if (name.starts_with("torch._utils _rebuild_tensor")) {
        VALIDATE(given.items.size() >= 4 && pickle_[given.items[0]].kind == Kind::storage &&
                     pickle_[given.items[1]].kind == Kind::integer &&
                     pickle_[given.items[2]].kind == Kind::tuple &&
                     pickle_[given.items[3]].kind == Kind::tuple,
                 "a tensor of the pickle lacks its storage, offset, sizes or strides (forged)");
        return push(PickleNode{.kind = Kind::tensor, .items = given.items});
    }
    push(Kind::opaque);
}

/// Empty, or, from Python 2, with a list of [key, value].
void Unpickler::make_ordered_dict(const PickleNode& arguments) {
    PickleNode dict{.kind = Kind::dict};
    if (!arguments.items.empty())
        for (const NodeId id : pickle_[arguments.items[0]].items) {
            const auto& pair = pickle_[id].items;
            VALIDATE(pair.size() == 2, "an OrderedDict of the pickle is made of no pairs (forged)");
            charge(2);
            dict.items.insert(dict.items.end(), pair.begin(), pair.end());
        }
    push(std::move(dict));
}

}  // namespace

const PickleNode* Pickle::find(const PickleNode& dict, std::string_view key) const {
    const PickleNode* found = nullptr;
    if (dict.kind == Kind::dict)
        for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
            const auto& name = nodes[dict.items[i]];
            if (name.kind == Kind::text && name.text == key) found = &nodes[dict.items[i + 1]];
        }
    return found;
}

Pickle read_pickle(ByteReader& reader) {
    return Unpickler(reader).run();
}

}  // namespace nanoatlas::nn
