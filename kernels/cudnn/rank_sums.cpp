#include "kernels/cudnn/rank_sums.hpp"

#include <array>
#include <vector>

#include "kernels/cudnn/handles.hpp"

namespace nanoatlas::kernels::cudnn {
namespace {

NcclCommunicator make_communicator(const Ranks& ranks) {
    ncclUniqueId id{};
    if (ranks.rank() == 0) check(ncclGetUniqueId(&id), "start NCCL");
    ranks.broadcast(id.internal);
    ncclComm_t made = nullptr;
    check(ncclCommInitRank(&made, ranks.size(), id, ranks.rank()), "join NCCL's ranks");
    return NcclCommunicator(made);
}

/// Two communicators: sums of statistics and of gradients are under way at the same time.
class NcclSums final : public RankSums {
  public:
    NcclSums(const Ranks& ranks, cudaStream_t stream)
        : main_(stream),
          statistics_(make_communicator(ranks)),
          gradients_(make_communicator(ranks)) {}

    bool is_recordable() const override { return true; }

    void sum(std::span<double> values) override {
        check(ncclAllReduce(values.data(), values.data(), values.size(), ncclDouble, ncclSum,
                            statistics_.get(), main_),
              "sum over ranks");
    }

    void start(std::span<float> values) override {
        follow(beside_.get(), main_);
        check(ncclAllReduce(values.data(), values.data(), values.size(), ncclFloat, ncclSum,
                            gradients_.get(), beside_.get()),
              "sum over ranks");
        is_behind_ = true;
    }

    void finish() override {
        if (is_behind_) follow(main_, beside_.get());
        is_behind_ = false;
    }

  private:
    /// What comes next on one stream waits for what the other was given.
    void follow(cudaStream_t waits, cudaStream_t leads) {
        check(cudaEventRecord(event_.get(), leads), "record an event");
        check(cudaStreamWaitEvent(waits, event_.get()), "wait for an event");
    }

    cudaStream_t main_;
    Stream beside_ = make_stream();
    Event event_ = make_event();
    NcclCommunicator statistics_, gradients_;
    bool is_behind_ = false;
};

class HostSums final : public RankSums {
  public:
    HostSums(const Ranks& ranks, cudaStream_t stream) : ranks_(ranks), stream_(stream) {}

    bool is_recordable() const override { return false; }

    void sum(std::span<double> values) override {
        std::vector<double> home(values.size());
        copy(values.data(), home.data(), values.size_bytes(), cudaMemcpyDeviceToHost);
        ranks_.sum(home);
        copy(home.data(), values.data(), values.size_bytes(), cudaMemcpyHostToDevice);
    }

    void start(std::span<float> values) override {
        std::vector<float> home(values.size());
        copy(values.data(), home.data(), values.size_bytes(), cudaMemcpyDeviceToHost);
        std::vector<double> sums(home.begin(), home.end());
        ranks_.sum(sums);
        home.assign(sums.begin(), sums.end());
        copy(home.data(), values.data(), values.size_bytes(), cudaMemcpyHostToDevice);
    }

    void finish() override {}

  private:
    void copy(const void* from, void* to, std::size_t bytes, cudaMemcpyKind kind) {
        check(cudaMemcpyAsync(to, from, bytes, kind, stream_), "copy values to be summed");
        check(cudaStreamSynchronize(stream_), "copy values to be summed");
    }

    const Ranks& ranks_;
    cudaStream_t stream_;
};

}  // namespace

std::unique_ptr<RankSums> make_rank_sums(const Ranks& ranks, cudaStream_t stream,
                                         bool own_devices) {
    // Every rank must come to the same conclusion.
    std::array<double, 1> sharing{own_devices ? 0.0 : 1.0};
    ranks.sum(sharing);
    if (sharing[0] > 0) return std::make_unique<HostSums>(ranks, stream);
    return std::make_unique<NcclSums>(ranks, stream);
}

}  // namespace nanoatlas::kernels::cudnn
