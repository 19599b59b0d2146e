// An MPI communicator as an argument: ranks, collectives, and point-to-point for rings.
//
// All members but rank() and size() are collective unless they say otherwise: every rank calls them
// in the same order. Counts above 2^31 are cut into pieces here. MPI's own errors end the program
// with rank and cause (MPI_ERRORS_ARE_FATAL), so none return an error code.
#pragma once

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace nanoatlas::comm {

template <class T>
concept Trivial = std::is_trivially_copyable_v<T>;
template <class T>
concept Number = std::is_arithmetic_v<T>;

template <Number T>
MPI_Datatype mpi_type() {
    if constexpr (std::is_same_v<T, float>) return MPI_FLOAT;
    if constexpr (std::is_same_v<T, double>) return MPI_DOUBLE;
    if constexpr (std::is_same_v<T, bool>) return MPI_CXX_BOOL;
    if constexpr (std::is_integral_v<T> && std::is_signed_v<T>)
        return sizeof(T) == 8   ? MPI_INT64_T
               : sizeof(T) == 4 ? MPI_INT32_T
               : sizeof(T) == 2 ? MPI_INT16_T
                                : MPI_INT8_T;
    return sizeof(T) == 8   ? MPI_UINT64_T
           : sizeof(T) == 4 ? MPI_UINT32_T
           : sizeof(T) == 2 ? MPI_UINT16_T
                            : MPI_UINT8_T;
}

/// A started operation; must be waited for. Move-only; the destructor waits.
class Request {
  public:
    Request() = default;
    explicit Request(MPI_Request request) : request_(request) {}
    Request(Request&& other) noexcept : request_(std::exchange(other.request_, MPI_REQUEST_NULL)) {}
    Request& operator=(Request&& other) noexcept {
        std::swap(request_, other.request_);
        return *this;
    }
    ~Request() { wait(); }
    void wait() { MPI_Wait(&request_, MPI_STATUS_IGNORE); }
    /// True once it is complete; drives MPI's progress.
    bool test() {
        int done = 0;
        MPI_Test(&request_, &done, MPI_STATUS_IGNORE);
        return done != 0;
    }

  private:
    MPI_Request request_ = MPI_REQUEST_NULL;
};

class Communicator {
  public:
    /// A duplicate of MPI_COMM_WORLD; needs a live comm::Session.
    static Communicator world();
    /// The calling rank alone; needs a live comm::Session. Not collective.
    static Communicator self();

    Communicator(Communicator&& other) noexcept;
    Communicator& operator=(Communicator&& other) noexcept;
    ~Communicator();

    int rank() const { return rank_; }
    int size() const { return size_; }
    bool is_root() const { return rank_ == 0; }
    MPI_Comm handle() const { return handle_; }

    Communicator duplicate() const;
    /// Ranks of equal colour, in the order of their ranks here.
    Communicator split(int colour) const;
    /// The ranks that share this rank's node.
    Communicator node() const;

    void barrier() const { MPI_Barrier(handle_); }

    template <Trivial T>
    void broadcast(std::span<T> values, int root = 0) const {
        broadcast_bytes(values.data(), values.size_bytes(), root);
    }
    template <Trivial T>
    T broadcast(T value, int root = 0) const {
        broadcast_bytes(&value, sizeof value, root);
        return value;
    }
    std::string broadcast(std::string value, int root = 0) const;
    std::vector<std::string> broadcast(const std::vector<std::string>& values, int root = 0) const;

    /// In place, the same bits on every rank for a given number of ranks. For floating-point sums
    /// whose value must not depend on the number of ranks use comm::ordered_sum.
    template <Number T>
    void sum(std::span<T> values) const {
        reduce_all(values.data(), values.size(), sizeof(T), mpi_type<T>(), MPI_SUM);
    }
    template <Number T>
    T sum(T value) const {
        reduce_all(&value, 1, sizeof(T), mpi_type<T>(), MPI_SUM);
        return value;
    }
    template <Number T>
    void max(std::span<T> values) const {
        reduce_all(values.data(), values.size(), sizeof(T), mpi_type<T>(), MPI_MAX);
    }
    template <Number T>
    T max(T value) const {
        reduce_all(&value, 1, sizeof(T), mpi_type<T>(), MPI_MAX);
        return value;
    }
    template <Number T>
    T min(T value) const {
        reduce_all(&value, 1, sizeof(T), mpi_type<T>(), MPI_MIN);
        return value;
    }
    bool any(bool value) const { return max(static_cast<int>(value)) != 0; }
    bool all(bool value) const { return min(static_cast<int>(value)) != 0; }

    /// Sum over the ranks below this one; 0 on rank 0.
    std::int64_t exclusive_sum(std::int64_t value) const;

    /// Starts an in-place sum over ranks; values must stay put until the request is done. At most
    /// 2^31-1 values.
    Request start_sum(std::span<float> values) const;
    Request start_sum(std::span<double> values) const;

    /// The ranks' values one after the other, in rank order; lengths may differ.
    template <Trivial T>
    std::vector<T> all_gather(std::span<const T> values) const {
        const auto bytes = all_gather_bytes(std::as_bytes(values));
        std::vector<T> all(bytes.size() / sizeof(T));
        if (!bytes.empty()) std::memcpy(all.data(), bytes.data(), bytes.size());
        return all;
    }
    template <Trivial T>
    std::vector<T> all_gather(const std::vector<T>& values) const {
        return all_gather(std::span<const T>(values));
    }
    template <Trivial T>
    std::vector<T> all_gather(T value) const {
        return all_gather(std::span<const T>(&value, 1));
    }
    std::vector<std::string> all_gather(const std::vector<std::string>& values) const;

    /// As all_gather, on the root alone; elsewhere empty.
    template <Trivial T>
    std::vector<T> gather(std::span<const T> values, int root = 0) const {
        const auto bytes = gather_bytes(std::as_bytes(values), root);
        std::vector<T> all(bytes.size() / sizeof(T));
        if (!bytes.empty()) std::memcpy(all.data(), bytes.data(), bytes.size());
        return all;
    }

    /// parts[r] goes to rank r; returns what each rank sent here, by rank. Lengths may differ.
    template <Trivial T>
    std::vector<std::vector<T>> exchange(const std::vector<std::vector<T>>& parts) const;

    /// Not collective. Bytes are cut into messages below 2^31; several may be needed.
    template <Trivial T>
    std::vector<Request> start_send(std::span<const T> values, int to, int tag = 0) const {
        return start_transfer(const_cast<T*>(values.data()), values.size_bytes(), to, tag, true);
    }
    template <Trivial T>
    std::vector<Request> start_receive(std::span<T> values, int from, int tag = 0) const {
        return start_transfer(values.data(), values.size_bytes(), from, tag, false);
    }

    /// Runs work on rank 0; if it throws, every rank throws the same error. Ends with all ranks
    /// knowing that it is done.
    void on_root(const std::function<void()>& work) const;

  private:
    Communicator(MPI_Comm handle, bool owned);
    void broadcast_bytes(void* data, std::size_t bytes, int root) const;
    void reduce_all(void* data, std::size_t count, std::size_t size, MPI_Datatype type,
                    MPI_Op operation) const;
    std::vector<std::byte> all_gather_bytes(std::span<const std::byte> bytes) const;
    std::vector<std::byte> gather_bytes(std::span<const std::byte> bytes, int root) const;
    std::vector<Request> start_transfer(void* data, std::size_t bytes, int peer, int tag,
                                        bool send) const;
    /// data: the parts one after the other, sizes[r] bytes each; returns the same of what came.
    std::vector<std::byte> exchange_bytes(std::span<const std::byte> data,
                                          std::span<const std::int64_t> sizes,
                                          std::vector<std::int64_t>& received_sizes) const;

    MPI_Comm handle_ = MPI_COMM_NULL;
    bool owned_ = false;
    int rank_ = 0;
    int size_ = 1;
};

template <Trivial T>
std::vector<std::vector<T>> Communicator::exchange(const std::vector<std::vector<T>>& parts) const {
    std::vector<std::byte> data;
    std::vector<std::int64_t> sizes, received_sizes;
    for (const auto& part : parts) {
        const auto bytes = std::as_bytes(std::span<const T>(part));
        data.insert(data.end(), bytes.begin(), bytes.end());
        sizes.push_back(static_cast<std::int64_t>(bytes.size()));
    }
    const auto received = exchange_bytes(data, sizes, received_sizes);
    std::vector<std::vector<T>> result(static_cast<std::size_t>(size_));
    std::size_t offset = 0;
    for (std::size_t r = 0; r < result.size(); ++r) {
        const auto bytes = static_cast<std::size_t>(received_sizes[r]);
        result[r].resize(bytes / sizeof(T));
        if (bytes != 0) std::memcpy(result[r].data(), received.data() + offset, bytes);
        offset += bytes;
    }
    return result;
}

/// Sum of one value per row over all rows of all ranks, in blocks whose limits don't depend on the
/// number of ranks, so the same bits for any number: row r belongs to block r / 1024, blocks are
/// summed pairwise. Collective.
/// first_row: number of this rank's first row; rows of the ranks follow one another.
double ordered_sum(std::span<const double> values, std::int64_t first_row,
                   const Communicator& comm);

}  // namespace nanoatlas::comm
