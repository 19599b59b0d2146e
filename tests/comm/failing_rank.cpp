// A program whose rank 1 fails in a way given on the command line while the others wait for it.
#include <cstring>
#include <stdexcept>

#include "base/check.hpp"
#include "base/log.hpp"
#include "comm/session.hpp"

int main(int argc, char** argv) {
    using namespace nanoatlas;
    const comm::Session session(argc, argv);
    const auto world = comm::Communicator::world();
    base::configure_log({.rank = world.rank(), .quiet = false, .json_file = {}});
    const bool all_fail = argc > 1 && std::strcmp(argv[1], "all") == 0;
    return comm::run_guarded(world, [&] {
        if (all_fail) throw InputError("every rank saw it");
        if (world.rank() == 1) throw std::runtime_error("the file x.tif is cursed");
        world.barrier();
        world.barrier();
        return 0;
    });
}
