#include "comm/communicator.hpp"

#include <algorithm>
#include <climits>
#include <cmath>
#include <exception>
#include <numeric>

#include "base/check.hpp"

namespace nanoatlas::comm {
namespace {

// Pieces of messages: below MPI's 2^31 limit, large enough to cost nothing.
constexpr std::size_t piece_bytes = std::size_t{1} << 30;

std::string packed(const std::vector<std::string>& values) {
    std::string data;
    for (const auto& value : values) {
        const auto length = static_cast<std::uint64_t>(value.size());
        data.append(reinterpret_cast<const char*>(&length), sizeof length);
        data += value;
    }
    return data;
}

std::vector<std::string> unpacked(std::span<const char> data) {
    std::vector<std::string> values;
    for (std::size_t at = 0; at < data.size();) {
        std::uint64_t length = 0;
        std::memcpy(&length, data.data() + at, sizeof length);
        at += sizeof length;
        values.emplace_back(data.data() + at, length);
        at += length;
    }
    return values;
}

// A datatype of `bytes` contiguous bytes, so that counts fit into an int.
class ByteBlocks {
  public:
    explicit ByteBlocks(std::size_t bytes) {
        MPI_Type_contiguous(static_cast<int>(bytes), MPI_BYTE, &type_);
        MPI_Type_commit(&type_);
    }
    ~ByteBlocks() { MPI_Type_free(&type_); }
    ByteBlocks(const ByteBlocks&) = delete;
    ByteBlocks& operator=(const ByteBlocks&) = delete;
    MPI_Datatype type() const { return type_; }

  private:
    MPI_Datatype type_ = MPI_DATATYPE_NULL;
};

constexpr std::size_t block_of_gathers = 64;

// Variable-length gathers count in blocks of 64 bytes, which takes them to 128 GiB.
std::vector<std::byte> padded(std::span<const std::byte> bytes) {
    std::vector<std::byte> data(bytes.begin(), bytes.end());
    data.resize((data.size() + block_of_gathers - 1) / block_of_gathers * block_of_gathers);
    return data;
}

struct GatherPlan {
    std::vector<int> counts, offsets;
    std::vector<std::int64_t> bytes;
    std::int64_t total_blocks = 0;

    explicit GatherPlan(std::vector<std::int64_t> sizes) : bytes(std::move(sizes)) {
        for (const auto size : bytes) {
            const auto blocks = (size + static_cast<std::int64_t>(block_of_gathers) - 1) /
                                static_cast<std::int64_t>(block_of_gathers);
            offsets.push_back(static_cast<int>(total_blocks));
            counts.push_back(static_cast<int>(blocks));
            total_blocks += blocks;
        }
        ENSURE(total_blocks <= INT_MAX,
               "cannot gather {} bytes at once (above MPI's limit); use more ranks or fewer rows",
               total_blocks * static_cast<std::int64_t>(block_of_gathers));
    }
    std::size_t padded_bytes() const {
        return static_cast<std::size_t>(total_blocks) * block_of_gathers;
    }
    // Drops the padding between the parts.
    std::vector<std::byte> compact(const std::vector<std::byte>& data) const {
        std::vector<std::byte> result;
        result.reserve(static_cast<std::size_t>(std::accumulate(bytes.begin(), bytes.end(), 0LL)));
        for (std::size_t r = 0; r < bytes.size(); ++r) {
            const auto begin =
                data.begin() + static_cast<std::ptrdiff_t>(block_of_gathers) * offsets[r];
            result.insert(result.end(), begin, begin + bytes[r]);
        }
        return result;
    }
};

}  // namespace

Communicator::Communicator(MPI_Comm handle, bool owned) : handle_(handle), owned_(owned) {
    MPI_Comm_rank(handle_, &rank_);
    MPI_Comm_size(handle_, &size_);
}

Communicator Communicator::world() {
    MPI_Comm copy = MPI_COMM_NULL;
    MPI_Comm_dup(MPI_COMM_WORLD, &copy);
    return {copy, true};
}

Communicator Communicator::self() {
    return {MPI_COMM_SELF, false};
}

Communicator::Communicator(Communicator&& other) noexcept
    : handle_(std::exchange(other.handle_, MPI_COMM_NULL)),
      owned_(std::exchange(other.owned_, false)),
      rank_(other.rank_),
      size_(other.size_) {}

Communicator& Communicator::operator=(Communicator&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(owned_, other.owned_);
    std::swap(rank_, other.rank_);
    std::swap(size_, other.size_);
    return *this;
}

Communicator::~Communicator() {
    // While an error unwinds, other ranks may not come to free theirs: freeing is collective.
    if (owned_ && std::uncaught_exceptions() == 0) MPI_Comm_free(&handle_);
}

Communicator Communicator::duplicate() const {
    MPI_Comm copy = MPI_COMM_NULL;
    MPI_Comm_dup(handle_, &copy);
    return {copy, true};
}

Communicator Communicator::split(int colour) const {
    MPI_Comm part = MPI_COMM_NULL;
    MPI_Comm_split(handle_, colour, rank_, &part);
    return {part, true};
}

Communicator Communicator::node() const {
    MPI_Comm part = MPI_COMM_NULL;
    MPI_Comm_split_type(handle_, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &part);
    return {part, true};
}

void Communicator::broadcast_bytes(void* data, std::size_t bytes, int root) const {
    auto* at = static_cast<std::byte*>(data);
    for (std::size_t done = 0; done < bytes; done += piece_bytes)
        MPI_Bcast(at + done, static_cast<int>(std::min(piece_bytes, bytes - done)), MPI_BYTE, root,
                  handle_);
}

std::string Communicator::broadcast(std::string value, int root) const {
    value.resize(broadcast(static_cast<std::uint64_t>(value.size()), root));
    broadcast_bytes(value.data(), value.size(), root);
    return value;
}

std::vector<std::string> Communicator::broadcast(const std::vector<std::string>& values,
                                                 int root) const {
    return unpacked(broadcast(packed(values), root));
}

void Communicator::reduce_all(void* data, std::size_t count, std::size_t size, MPI_Datatype type,
                              MPI_Op operation) const {
    auto* at = static_cast<std::byte*>(data);
    const std::size_t piece = piece_bytes / size;
    for (std::size_t done = 0; done < count; done += piece)
        MPI_Allreduce(MPI_IN_PLACE, at + done * size,
                      static_cast<int>(std::min(piece, count - done)), type, operation, handle_);
}

std::int64_t Communicator::exclusive_sum(std::int64_t value) const {
    std::int64_t below = 0;
    MPI_Exscan(&value, &below, 1, MPI_INT64_T, MPI_SUM, handle_);
    return rank_ == 0 ? 0 : below;
}

Request Communicator::start_sum(std::span<float> values) const {
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Iallreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()), MPI_FLOAT, MPI_SUM,
                   handle_, &request);
    return Request(request);
}

Request Communicator::start_sum(std::span<double> values) const {
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Iallreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()), MPI_DOUBLE,
                   MPI_SUM, handle_, &request);
    return Request(request);
}

std::vector<std::byte> Communicator::all_gather_bytes(std::span<const std::byte> bytes) const {
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(size_));
    const auto own = static_cast<std::int64_t>(bytes.size());
    MPI_Allgather(&own, 1, MPI_INT64_T, sizes.data(), 1, MPI_INT64_T, handle_);
    const GatherPlan plan(std::move(sizes));
    const ByteBlocks blocks(block_of_gathers);
    const auto send = padded(bytes);
    std::vector<std::byte> all(plan.padded_bytes());
    MPI_Allgatherv(send.data(), plan.counts[static_cast<std::size_t>(rank_)], blocks.type(),
                   all.data(), plan.counts.data(), plan.offsets.data(), blocks.type(), handle_);
    return plan.compact(all);
}

std::vector<std::byte> Communicator::gather_bytes(std::span<const std::byte> bytes,
                                                  int root) const {
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(size_));
    const auto own = static_cast<std::int64_t>(bytes.size());
    MPI_Allgather(&own, 1, MPI_INT64_T, sizes.data(), 1, MPI_INT64_T, handle_);
    const GatherPlan plan(std::move(sizes));
    const ByteBlocks blocks(block_of_gathers);
    const auto send = padded(bytes);
    std::vector<std::byte> all(rank_ == root ? plan.padded_bytes() : 0);
    MPI_Gatherv(send.data(), plan.counts[static_cast<std::size_t>(rank_)], blocks.type(),
                all.data(), plan.counts.data(), plan.offsets.data(), blocks.type(), root, handle_);
    return rank_ == root ? plan.compact(all) : std::vector<std::byte>{};
}

std::vector<std::string> Communicator::all_gather(const std::vector<std::string>& values) const {
    const auto own = packed(values);
    return unpacked(all_gather(std::span<const char>(own)));
}

std::vector<std::byte> Communicator::exchange_bytes(
    std::span<const std::byte> data, std::span<const std::int64_t> sizes,
    std::vector<std::int64_t>& received_sizes) const {
    received_sizes.assign(static_cast<std::size_t>(size_), 0);
    MPI_Alltoall(sizes.data(), 1, MPI_INT64_T, received_sizes.data(), 1, MPI_INT64_T, handle_);
    std::vector<std::byte> received(static_cast<std::size_t>(
        std::accumulate(received_sizes.begin(), received_sizes.end(), 0LL)));
    std::vector<Request> requests;
    std::size_t at = 0;
    const auto add = [&](std::vector<Request> started) {
        for (auto& request : started) requests.push_back(std::move(request));
    };
    for (int r = 0; r < size_; ++r) {
        const auto bytes = static_cast<std::size_t>(received_sizes[static_cast<std::size_t>(r)]);
        add(start_transfer(received.data() + at, bytes, r, 0, false));
        at += bytes;
    }
    at = 0;
    for (int r = 0; r < size_; ++r) {
        const auto bytes = static_cast<std::size_t>(sizes[static_cast<std::size_t>(r)]);
        add(start_transfer(const_cast<std::byte*>(data.data()) + at, bytes, r, 0, true));
        at += bytes;
    }
    for (auto& request : requests) request.wait();
    return received;
}

std::vector<Request> Communicator::start_transfer(void* data, std::size_t bytes, int peer, int tag,
                                                  bool send) const {
    std::vector<Request> requests;
    auto* at = static_cast<std::byte*>(data);
    for (std::size_t done = 0; done < bytes; done += piece_bytes) {
        const auto count = static_cast<int>(std::min(piece_bytes, bytes - done));
        MPI_Request request = MPI_REQUEST_NULL;
        if (send)
            MPI_Isend(at + done, count, MPI_BYTE, peer, tag, handle_, &request);
        else
            MPI_Irecv(at + done, count, MPI_BYTE, peer, tag, handle_, &request);
        requests.emplace_back(request);
    }
    return requests;
}

void Communicator::on_root(const std::function<void()>& work) const {
    enum class Outcome : int { done, wrong_input, failed };
    auto outcome = Outcome::done;
    std::string message;
    if (is_root()) {
        try {
            work();
        } catch (const InputError& error) {
            outcome = Outcome::wrong_input;
            message = error.what();
        } catch (const std::exception& error) {
            outcome = Outcome::failed;
            message = error.what();
        }
    }
    outcome = broadcast(outcome);
    if (outcome == Outcome::done) return;
    message = broadcast(std::move(message));
    if (outcome == Outcome::wrong_input) throw InputError(message);
    throw EnvironmentError(message);
}

double ordered_sum(std::span<const double> values, std::int64_t first_row,
                   const Communicator& comm) {
    // Whole blocks of 1024 rows are summed here; the rows of blocks cut by a limit between ranks
    // travel as they are.
    constexpr std::int64_t block = 1024;
    struct Piece {
        std::int64_t row;
        std::int64_t is_block;
        double value;
    };
    std::vector<Piece> pieces;
    const auto count = static_cast<std::int64_t>(values.size());
    for (std::int64_t i = 0; i < count;) {
        const std::int64_t row = first_row + i;
        const auto at = static_cast<std::size_t>(i);
        if (row % block == 0 && i + block <= count) {
            double sum = 0;
            for (std::size_t j = 0; j < block; ++j) sum += values[at + j];
            pieces.push_back({row, 1, sum});
            i += block;
        } else {
            pieces.push_back({row, 0, values[at]});
            ++i;
        }
    }
    const auto all = comm.all_gather(std::span<const Piece>(pieces));
    std::vector<double> sums;
    for (std::size_t i = 0; i < all.size();) {
        const std::int64_t number = all[i].row / block;
        double sum = 0;
        for (; i < all.size() && all[i].row / block == number; ++i) sum += all[i].value;
        sums.push_back(sum);
    }
    while (sums.size() > 1) {
        for (std::size_t i = 0; i < sums.size() / 2; ++i) sums[i] = sums[2 * i] + sums[2 * i + 1];
        if (sums.size() % 2 == 1) sums[sums.size() / 2] = sums.back();
        sums.resize((sums.size() + 1) / 2);
    }
    return sums.empty() ? 0 : sums[0];
}

}  // namespace nanoatlas::comm
