#include "cluster/landscape.hpp"

#include <algorithm>
#include <map>

#include "cluster/ask.hpp"
#include "kernels/kokkos/density_peaks.hpp"

namespace nanoatlas::cluster {
namespace {

std::size_t at(std::int64_t row) {
    return static_cast<std::size_t>(row);
}

// A local maximum of g that lies in the k* neighbourhood of a point with a higher g is no centre.
struct Overshadowed {
    std::int64_t maximum, by;
    double g_of_by;
};

// A border point, as the saddle it may be of the clusters it stands between.
struct Border {
    Saddle saddle;
    double g;
    std::int32_t cluster;  // the point's own
    std::int64_t point;
    bool better_than(const Border& other) const {
        if (g != other.g) return g > other.g;
        return std::pair(cluster, point) < std::pair(other.cluster, other.point);
    }
};
using Borders = std::map<std::pair<std::int32_t, std::int32_t>, Border>;

void keep_best(Borders& borders, const Border& border) {
    const auto [place, is_new] =
        borders.try_emplace({border.saddle.low, border.saddle.high}, border);
    if (!is_new && border.better_than(place->second)) place->second = border;
}

class PeakFinder {
  public:
    PeakFinder(const Neighbours& neighbours, const Density& density, const comm::Communicator& comm)
        : lists_(neighbours), density_(density), comm_(comm) {
        std::vector<double> own(density.kstar.size());
        for (std::size_t i = 0; i < own.size(); ++i)
            own[i] = density.log_density[i] - density.error[i];
        g_ = comm.all_gather(own);
    }

    Landscape run() {
        find_centres();
        assign();
        const auto own = label_.begin() + lists_.rows.first;
        return {.centre = centre_,
                .peak = peaks_at_centres(),
                .saddle = find_saddles(),
                .label = {own, own + lists_.rows.count}};
    }

  private:
    std::int64_t row_of(std::int64_t local) const { return lists_.rows.first + local; }

    void find_centres() {
        std::vector<std::uint8_t> own(at(lists_.rows.count));
        kernels::kokkos::find_local_maxima(lists_.index, lists_.k, density_.kstar, g_,
                                           lists_.rows.first, own);
        is_centre_ = comm_.all_gather(own);
        for (const auto& [maximum, shadow] : find_overshadowed()) {
            is_centre_[at(maximum)] = 0;
            overshadowed_by_[maximum] = shadow.by;
        }
        for (std::size_t row = 0; row < is_centre_.size(); ++row)
            if (is_centre_[row] != 0) centre_.push_back(static_cast<std::int64_t>(row));
    }

    std::map<std::int64_t, Overshadowed> find_overshadowed() const {
        std::map<std::int64_t, Overshadowed> highest;
        const auto note = [&](const Overshadowed& found) {
            const auto [place, is_new] = highest.try_emplace(found.maximum, found);
            const auto& known = place->second;
            if (!is_new && (found.g_of_by > known.g_of_by ||
                            (found.g_of_by == known.g_of_by && found.by < known.by)))
                place->second = found;
        };
        for (std::int64_t i = 0; i < lists_.rows.count; ++i) {
            const double own = g_[at(row_of(i))];
            for (const auto j : lists_.index_of(i).first(at(density_.kstar[at(i)])))
                if (is_centre_[at(j)] != 0 && own > g_[at(j)]) note({j, row_of(i), own});
        }
        std::vector<Overshadowed> own;
        own.reserve(highest.size());
        for (const auto& [maximum, shadow] : highest) own.push_back(shadow);
        for (const auto& shadow : comm_.all_gather(own)) note(shadow);
        return highest;
    }

    // Clusters before merging, of all rows.
    void assign() {
        std::vector<std::int64_t> own(at(lists_.rows.count));
        kernels::kokkos::find_parents(lists_.index, lists_.k, g_, is_centre_, lists_.rows.first,
                                      own);
        // Only an overshadowed maximum can have nobody higher in its own list.
        for (std::size_t i = 0; i < own.size(); ++i)
            if (own[i] < 0) own[i] = overshadowed_by_.at(row_of(static_cast<std::int64_t>(i)));
        const auto parent = comm_.all_gather(own);
        label_.assign(parent.size(), -1);
        for (std::size_t c = 0; c < centre_.size(); ++c)
            label_[at(centre_[c])] = static_cast<std::int32_t>(c);
        for (std::int64_t row = 0; row < lists_.rows.total; ++row) {
            auto top = row;
            while (label_[at(top)] < 0) top = parent[at(top)];
            const auto label = label_[at(top)];
            for (auto on_way = row; label_[at(on_way)] < 0; on_way = parent[at(on_way)])
                label_[at(on_way)] = label;
        }
    }

    std::vector<Peak> peaks_at_centres() const {
        struct Found {
            std::int64_t row;
            Peak peak;
        };
        std::vector<Found> own;
        for (const auto row : centre_)
            if (row >= lists_.rows.first && row < lists_.rows.end()) {
                const auto local = at(row - lists_.rows.first);
                own.push_back({row, {density_.log_density[local], density_.error[local]}});
            }
        std::vector<Peak> peaks;  // blocks of rows come in the order of ranks, as centres do
        for (const auto& found : comm_.all_gather(own)) peaks.push_back(found.peak);
        return peaks;
    }

    std::vector<Saddle> find_saddles() const {
        Borders borders;
        for (const auto& border : find_borders()) keep_best(borders, border);
        std::vector<Border> own;
        for (const auto& [pair, border] : borders) own.push_back(border);
        for (const auto& border : comm_.all_gather(own)) keep_best(borders, border);
        std::vector<Saddle> saddles;
        for (const auto& [pair, border] : borders) saddles.push_back(border.saddle);
        return saddles;
    }

    struct Question {  // is `point` the nearest of its cluster to `foreign`?
        std::int64_t point, foreign;
    };

    // Of this rank's rows.
    std::vector<Border> find_borders() const {
        std::vector<std::int64_t> foreign(at(lists_.rows.count));
        kernels::kokkos::find_foreign_neighbours(lists_.index, lists_.k, density_.kstar, label_,
                                                 is_centre_, lists_.rows.first, foreign);
        const comm::BlockDistribution blocks(lists_.rows.total, comm_.size());
        std::vector<std::vector<Question>> questions(static_cast<std::size_t>(comm_.size()));
        for (std::int64_t i = 0; i < lists_.rows.count; ++i)
            if (foreign[at(i)] >= 0)
                questions[static_cast<std::size_t>(blocks.owner(foreign[at(i)]))].push_back(
                    {row_of(i), foreign[at(i)]});
        const auto answers = ask<std::uint8_t>(
            questions, [&](const Question& question) { return is_nearest_of_cluster(question); },
            comm_);
        std::vector<Border> borders;
        for (std::size_t r = 0; r < questions.size(); ++r)
            for (std::size_t i = 0; i < questions[r].size(); ++i)
                if (answers[r][i] != 0) borders.push_back(border_at(questions[r][i]));
        return borders;
    }

    std::uint8_t is_nearest_of_cluster(const Question& question) const {
        for (const auto j : lists_.index_of(question.foreign - lists_.rows.first)) {
            if (j == question.point) return 1;
            if (label_[at(j)] == label_[at(question.point)]) return 0;
        }
        return 1;  // nobody of that cluster is in the list
    }

    Border border_at(const Question& between) const {
        const auto own = label_[at(between.point)], other = label_[at(between.foreign)];
        const auto local = at(between.point - lists_.rows.first);
        return {.saddle = {.low = std::min(own, other),
                           .high = std::max(own, other),
                           .density = density_.log_density[local],
                           .error = density_.error[local]},
                .g = g_[at(between.point)],
                .cluster = own,
                .point = between.point};
    }

    const Neighbours& lists_;
    const Density& density_;
    const comm::Communicator& comm_;
    std::vector<double> g_;                                 // [N] log density less its error
    std::vector<std::uint8_t> is_centre_;                   // [N]
    std::vector<std::int64_t> centre_;                      // rows, ascending
    std::map<std::int64_t, std::int64_t> overshadowed_by_;  // maxima that are no centres
    std::vector<std::int32_t> label_;                       // [N] before merging
};

}  // namespace

Landscape find_landscape(const Neighbours& neighbours, const Density& density,
                         const comm::Communicator& comm) {
    return PeakFinder(neighbours, density, comm).run();
}

}  // namespace nanoatlas::cluster
