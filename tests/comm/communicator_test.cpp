#include "comm/communicator.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "base/check.hpp"
#include "base/random.hpp"
#include "comm/distribution.hpp"
#include "tests/mpi_test.hpp"

namespace nanoatlas::comm {
namespace {

const Communicator& world() {
    return testing::world();
}

TEST(BlockDistribution, blocks_cover_all_rows_once_and_owners_agree) {
    for (const std::int64_t rows : {0, 1, 2, 3, 7, 100})
        for (int ranks = 1; ranks <= 9; ++ranks) {
            const BlockDistribution distribution(rows, ranks);
            std::int64_t next = 0;
            for (int r = 0; r < ranks; ++r) {
                const auto block = distribution.block(r);
                ASSERT_EQ(block.first, next);
                next = block.end();
                for (std::int64_t i = block.first; i < block.end(); ++i)
                    ASSERT_EQ(distribution.owner(i), r);
            }
            ASSERT_EQ(next, rows);
        }
}

TEST(Communicator, gathers_parts_of_unequal_length_in_rank_order) {
    const std::vector<int> own(static_cast<std::size_t>(world().rank() * 3), world().rank());
    std::vector<int> expected;
    for (int r = 0; r < world().size(); ++r)
        expected.insert(expected.end(), 3 * static_cast<std::size_t>(r), r);
    EXPECT_EQ(world().all_gather(own), expected);
    const auto on_last = world().gather(std::span<const int>(own), world().size() - 1);
    EXPECT_EQ(on_last, world().rank() == world().size() - 1 ? expected : std::vector<int>{});
}

TEST(Communicator, gathers_and_broadcasts_strings) {
    const auto all =
        world().all_gather(std::vector<std::string>{"", std::to_string(world().rank())});
    ASSERT_EQ(all.size(), 2 * static_cast<std::size_t>(world().size()));
    EXPECT_EQ(all.back(), std::to_string(world().size() - 1));
    EXPECT_EQ(world().broadcast(std::string(world().is_root() ? "root's" : "")), "root's");
}

TEST(Communicator, exchanges_parts_between_all_pairs) {
    std::vector<std::vector<double>> parts;
    for (int r = 0; r < world().size(); ++r)
        parts.emplace_back(static_cast<std::size_t>(r + world().rank()), 10 * world().rank() + r);
    const auto received = world().exchange(parts);
    for (int r = 0; r < world().size(); ++r)
        EXPECT_EQ(received[static_cast<std::size_t>(r)],
                  std::vector<double>(static_cast<std::size_t>(r + world().rank()),
                                      10 * r + world().rank()));
}

TEST(Communicator, passes_blocks_round_a_ring) {
    const int right = (world().rank() + 1) % world().size();
    const int left = (world().rank() + world().size() - 1) % world().size();
    const std::vector<int> own(1000, world().rank());
    std::vector<int> from_left(1000);
    auto receives = world().start_receive(std::span<int>(from_left), left);
    auto sends = world().start_send(std::span<const int>(own), right);
    for (auto& request : receives) request.wait();
    EXPECT_EQ(from_left, std::vector<int>(1000, left));
}

TEST(Communicator, all_ranks_throw_what_the_root_threw) {
    EXPECT_THROW(world().on_root([] { throw InputError("wrong"); }), InputError);
    EXPECT_THROW(world().on_root([] { throw std::runtime_error("broken"); }), EnvironmentError);
    EXPECT_NO_THROW(world().on_root([] {}));
}

TEST(OrderedSum, has_the_bits_of_one_rank_on_any_number) {
    for (const std::int64_t rows : {0, 1, 3, 1023, 1024, 5000}) {
        std::vector<double> all(static_cast<std::size_t>(rows));
        base::Random random(7, rows);
        for (auto& value : all) value = random.normal() * std::exp(20 * random.uniform());
        const auto block = row_block(rows, world());
        const auto own = std::span<const double>(all).subspan(
            static_cast<std::size_t>(block.first), static_cast<std::size_t>(block.count));
        const double alone = ordered_sum(all, 0, Communicator::self());
        EXPECT_EQ(ordered_sum(own, block.first, world()), alone);
        EXPECT_NEAR(alone, std::accumulate(all.begin(), all.end(), 0.0),
                    1e-9 * (1 + std::abs(alone)));
    }
}

}  // namespace
}  // namespace nanoatlas::comm
