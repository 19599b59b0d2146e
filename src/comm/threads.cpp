#include "comm/threads.hpp"

#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <string>

namespace nanoatlas::comm {
namespace {

// Cores that at least one rank of the node may run on, and the most ranks that share one core.
struct Cores {
    int own = 1;
    int sharing = 1;
};

Cores cores_of_this_rank(const Communicator& node) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return {};
    std::vector<int> users(CPU_SETSIZE, 0);
    for (int core = 0; core < CPU_SETSIZE; ++core)
        users[static_cast<std::size_t>(core)] = CPU_ISSET(core, &set) ? 1 : 0;
    auto all = users;
    node.sum(std::span<int>(all));
    Cores cores{.own = 0, .sharing = 1};
    for (std::size_t core = 0; core < users.size(); ++core)
        if (users[core] != 0) {
            ++cores.own;
            cores.sharing = std::max(cores.sharing, all[core]);
        }
    return cores;
}

}  // namespace

int threads_of_this_rank(const Communicator& world) {
    const auto node = world.node();
    const auto cores = cores_of_this_rank(node);
    if (const char* given = std::getenv("OMP_NUM_THREADS")) return std::max(1, std::atoi(given));
    return std::max(1, cores.own / cores.sharing);
}

int apply_threads(const Communicator& world) {
    const int threads = threads_of_this_rank(world);
    omp_set_num_threads(threads);
    omp_set_max_active_levels(1);
    return threads;
}

}  // namespace nanoatlas::comm
