// Density peaks against what the methods' own authors' programs give.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "base/check.hpp"
#include "cluster/density_peaks.hpp"
#include "cluster/dimension.hpp"
#include "cluster/z_scan.hpp"
#include "store/matrix.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/mpi_test.hpp"
#include "tests/shared_data.hpp"

namespace nanoatlas::cluster {
namespace {

using testing::world;

std::string oracle(const std::string& name) {
    return (testing::shared_data() / "oracles" / name).string();
}

// Numbers of a text file by line, at blanks or commas; a line of names is passed over.
std::vector<std::vector<double>> read_table(const std::string& name) {
    std::ifstream file(oracle(name));
    std::vector<std::vector<double>> rows;
    for (std::string line; std::getline(file, line);) {
        std::replace(line.begin(), line.end(), ',', ' ');
        std::istringstream words(line);
        std::vector<double> row;
        for (double value = 0; words >> value;) row.push_back(value);
        if (!row.empty()) rows.push_back(std::move(row));
    }
    return rows;
}

struct Found {  // of all rows, on every rank
    double dimension = 0;
    std::vector<std::int32_t> label, kstar;
    std::vector<std::uint8_t> halo;
    std::vector<double> log_density, error;
    DensityPeaks peaks;

    std::int64_t halo_size() const { return std::count(halo.begin(), halo.end(), 1); }
    std::vector<std::int64_t> sizes() const {
        std::vector<std::int64_t> sizes(peaks.centre.size());
        for (const auto cluster : label) ++sizes[static_cast<std::size_t>(cluster)];
        return sizes;
    }
};

struct Settings {
    int maxk = 100;
    double significance = 1.65;
    double dimension = 0;  // 0: TWO-NN
};

Found find(const std::string& points, const Settings& settings) {
    const auto matrix = store::read_matrix<double>(oracle(points), world());
    const auto k = static_cast<int>(std::min<std::int64_t>(settings.maxk, matrix.rows.total - 1));
    const auto neighbours = find_neighbours(matrix, k, world());
    Found found;
    found.dimension =
        settings.dimension > 0 ? settings.dimension : two_nn_dimension(neighbours, world());
    const auto density = pak_density(neighbours, found.dimension, world());
    found.peaks = density_peaks(neighbours, density, {settings.significance}, world());
    found.label = world().all_gather(found.peaks.label);
    found.halo = world().all_gather(found.peaks.halo);
    found.kstar = world().all_gather(density.kstar);
    found.log_density = world().all_gather(density.log_density);
    found.error = world().all_gather(density.error);
    return found;
}

// Columns of a table of points; -1: not in it.
struct Columns {
    std::size_t label, log_density, error, kstar;
    int label_with_halo = -1;
};

void expect_points(const Found& found, const std::string& name, const Columns& columns) {
    const auto table = read_table(name);
    ASSERT_EQ(table.size(), found.label.size());
    int labels = 0, kstars = 0, halos = 0;
    for (std::size_t i = 0; i < table.size(); ++i) {
        labels += found.label[i] != table[i][columns.label];
        kstars += found.kstar[i] != table[i][columns.kstar];
        ASSERT_NEAR(found.log_density[i], table[i][columns.log_density], 1e-8) << i;
        ASSERT_NEAR(found.error[i], table[i][columns.error], 1e-9) << i;
        if (columns.label_with_halo >= 0)
            halos += (found.halo[i] == 1) !=
                     (table[i][static_cast<std::size_t>(columns.label_with_halo)] == -1);
    }
    EXPECT_EQ(labels, 0);
    EXPECT_EQ(kstars, 0);
    EXPECT_EQ(halos, 0);
}

TEST(Oracle, two_gaussians) {
    NEEDS_SHARED("oracles/gauss2d_100.txt");
    const auto found = find("gauss2d_100.txt", {});
    EXPECT_NEAR(found.dimension, 1.85491, 5e-6);
    EXPECT_EQ(found.sizes(), (std::vector<std::int64_t>{50, 50}));
    expect_points(found, "gauss2d_100_verified.txt", {0, 1, 2, 3});
}

TEST(Oracle, fig1_5000) {
    NEEDS_SHARED("oracles/fig1_5000.txt");
    const auto found = find("fig1_5000.txt", {});
    EXPECT_EQ(found.peaks.centre,
              (std::vector<std::int64_t>{117, 129, 494, 1366, 2284, 2653, 3455, 3605, 4125}));
    EXPECT_EQ(found.sizes(),
              (std::vector<std::int64_t>{1635, 530, 33, 540, 464, 595, 307, 235, 661}));
    EXPECT_EQ(found.halo_size(), 1462);
    expect_points(found, "fig1_5000_verified.txt", {0, 1, 2, 3});
    const auto labels = read_table("assignment5k.csv");
    for (std::size_t i = 0; i < labels.size(); ++i) ASSERT_EQ(found.label[i], labels[i][0]) << i;
    const auto density = read_table("saddle_density5k.csv"), error = read_table("saddle_err5k.csv");
    for (std::size_t a = 0; a < 9; ++a)
        for (std::size_t b = 0; b < 9; ++b) {
            EXPECT_NEAR(found.peaks.saddle_density[9 * a + b], density[a][b], 1e-8);
            EXPECT_NEAR(found.peaks.saddle_error[9 * a + b], error[a][b], 1e-8);
        }
}

// DPA keeps volumes in single precision, so a few k* differ, and where two neighbours are equally
// far it takes another density than DADApy: 29 points in all. Its own test, too, lets two points of
// the halo differ.
TEST(Oracle, dpa_fig1_20000) {
    NEEDS_SHARED("oracles/dpa_fig1_20000.txt");
    const auto found =
        find("dpa_fig1_20000.txt", {.maxk = 1000, .significance = 1.5, .dimension = 2});
    EXPECT_EQ(found.sizes(),
              (std::vector<std::int64_t>{2738, 2094, 2254, 1074, 1258, 6128, 2363, 2091}));
    EXPECT_NEAR(static_cast<double>(found.halo_size()), 6803, 2);
    const auto labels = read_table("output_Fig1_labels.csv");
    const auto halos = read_table("output_Fig1_labelsHalos.csv");
    int halo_differs = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        ASSERT_EQ(found.label[i] + 1, labels[i][0]) << i;
        halo_differs += (found.halo[i] == 1) != (halos[i][0] == 0);
    }
    EXPECT_LE(halo_differs, 2);
    // Its densities are raised so that the least of its own (not quite ours) is 1.
    const auto points = read_table("output_Fig1_test3.csv");
    const double raised = points[0][0] - found.log_density[0];
    int differ = 0;
    for (std::size_t i = 0; i < points.size(); ++i)
        differ += std::abs(found.log_density[i] + raised - points[i][0]) > 1e-6;
    EXPECT_LE(differ, 30);
    for (const auto& border : read_table("output_Fig1_borders.csv")) {
        const auto place = static_cast<std::size_t>(8 * (border[0] - 1) + border[1] - 1);
        const bool meet = border[3] > 0;
        EXPECT_EQ(found.peaks.saddle_error[place] > 0, meet);
        if (meet) {
            EXPECT_NEAR(found.peaks.saddle_density[place] + raised, border[2], 1e-3);
        }
    }
}

TEST(Oracle, real_features_at_three_significances) {
    NEEDS_SHARED("oracles/ncm-features/embedding.npy");
    for (const auto& [text, z] : {std::pair{"1.0", 1.0}, {"1.65", 1.65}, {"3.0", 3.0}}) {
        const auto found = find("ncm-features/embedding.npy", {.significance = z});
        EXPECT_NEAR(found.dimension, 8.751208921458966, 1e-6);
        expect_points(found, std::string("ncm-features/adp_Z") + text + ".csv", {0, 2, 3, 4, 1});
    }
}

TEST(Oracle, real_features_by_one_scan) {
    NEEDS_SHARED("oracles/ncm-features/embedding.npy");
    const auto matrix = store::read_matrix<double>(oracle("ncm-features/embedding.npy"), world());
    const auto neighbours = find_neighbours(matrix, 100, world());
    const auto density = pak_density(neighbours, two_nn_dimension(neighbours, world()), world());
    const auto scan = scan_significance(find_landscape(neighbours, density, world()),
                                        std::vector<double>{1, 1.65, 3});
    const auto label = world().all_gather(scan.label);
    const std::vector<const char*> tables = {"1.0", "1.65", "3.0"};
    for (std::size_t s = 0; s < tables.size(); ++s) {
        const auto table = read_table(std::string("ncm-features/adp_Z") + tables[s] + ".csv");
        ASSERT_EQ(3 * table.size(), label.size());
        int differ = 0;
        for (std::size_t i = 0; i < table.size(); ++i) differ += label[3 * i + s] != table[i][0];
        EXPECT_EQ(differ, 0) << "Z " << tables[s];
    }
}

TEST(Oracle, blobs_in_50_dimensions) {
    NEEDS_SHARED("oracles/blobs/points.npy");
    const auto found = find("blobs/points.npy", {});
    EXPECT_NEAR(found.dimension, 28.88488695356424, 1e-6);
    EXPECT_EQ(found.peaks.clusters(), 64);
    expect_points(found, "blobs/adp_Z1.65.csv", {0, 1, 2, 3});
}

// DADApy 0.3.4 on embedding.npy: d = Data(X); d.compute_distances(maxk=100);
// d.compute_id_2NN(algorithm='ml'); d.return_id_scaling_gride(range_max=64)
TEST(Oracle, dimensions_of_real_features) {
    NEEDS_SHARED("oracles/ncm-features/embedding.npy");
    const auto matrix = store::read_matrix<double>(oracle("ncm-features/embedding.npy"), world());
    const auto lists = find_neighbours(matrix, 64, world());
    const auto fit = two_nn_fit(lists, world());
    EXPECT_NEAR(fit.dimension, 8.751208921457836, 1e-9);
    EXPECT_NEAR(fit.scale, 2.5593077036620646, 1e-12);
    EXPECT_NEAR(two_nn_likelihood(lists, world()).dimension, 8.721158737985117, 1e-9);
    const double dimension[] = {8.72115875581789, 7.689216598315195, 6.365687180344336,
                                5.48495964353092, 4.563407680691366, 3.951260616546235};
    const double error[] = {0.24927773123766178, 0.1584951704635451,   0.09316546465470171,
                            0.05676029257497485, 0.033411995509680936, 0.020434737837862916};
    const double scale[] = {2.5593077036620646, 2.8623750003580457, 3.220897520768891,
                            3.6797753012749888, 4.287918129728493,  5.074026604261446};
    const auto scales = gride(lists, world());
    ASSERT_EQ(scales.size(), 6U);
    for (std::size_t i = 0; i < 6; ++i) {
        EXPECT_EQ(scales[i].rank, 2 << i);
        EXPECT_NEAR(scales[i].dimension, dimension[i], 2e-7);  // its bisection stops at 1e-7
        EXPECT_NEAR(scales[i].error, error[i], 1e-7);
        EXPECT_NEAR(scales[i].scale, scale[i], 1e-12);
    }
}

// d.compute_id_2NN(); d.compute_density_kstarNN() or d.compute_density_kNN(k=10);
// d.compute_clustering_ADP(Z=1.65): np.bincount(d.cluster_assignment), log_den.sum(), log_den[1223]
TEST(Oracle, constant_densities_of_real_features) {
    NEEDS_SHARED("oracles/ncm-features/embedding.npy");
    const auto matrix = store::read_matrix<double>(oracle("ncm-features/embedding.npy"), world());
    const auto lists = find_neighbours(matrix, 100, world());
    const double dimension = two_nn_dimension(lists, world());
    const auto expect = [&](const Density& density, double sum, double last, double error,
                            const std::vector<std::int64_t>& sizes) {
        const auto all = world().all_gather(density.log_density);
        double found = 0;
        for (const double value : all) found += value;
        EXPECT_NEAR(found, sum, 1e-6);
        EXPECT_NEAR(all.back(), last, 1e-9);
        EXPECT_NEAR(world().all_gather(density.error).back(), error, 1e-12);
        std::vector<std::int64_t> counted(sizes.size());
        const auto peaks = density_peaks(lists, density, {1.65}, world());
        for (const auto label : world().all_gather(peaks.label))
            ++counted.at(static_cast<std::size_t>(label));
        EXPECT_EQ(counted, sizes);
    };
    expect(kstar_nn_density(lists, dimension, world()), -21051.090739634437, -16.9432807793025,
           0.30151134457776363, {129, 18, 8, 39, 442, 34, 3, 157, 153, 208, 10, 23});
    expect(k_nn_density(lists, dimension, 10, world()), -20554.90803981293, -16.87310491854413,
           0.31622776601683794, {227, 19, 39, 385, 153, 160, 23, 218});
    EXPECT_THROW(k_nn_density(lists, dimension, 100, world()), InputError);
}

}  // namespace
}  // namespace nanoatlas::cluster
