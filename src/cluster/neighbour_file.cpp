#include "cluster/neighbour_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "store/agree.hpp"

namespace nanoatlas::cluster {
namespace {

// Lists as they stand in a file.
struct Lists {
    int k = 0;
    std::vector<std::int64_t> index;
    std::vector<double> distance;
};

Lists read_lists(const std::string& path, const comm::RowBlock& rows, int least) {
    const store::ArtefactReader file(path, "neighbours");
    const auto shape = file.shape("index");
    VALIDATE(shape.size() == 2 && shape[0] == rows.total && file.shape("distance") == shape,
             "'{}' is damaged: its lists are not of {} rows; run neighbours again", path,
             rows.total);
    VALIDATE(shape[1] >= least,
             "'{}' lists {} neighbours of each row, and {} are needed; run neighbours --k {}", path,
             shape[1], least, least);
    Lists lists{.k = static_cast<int>(shape[1]),
                .index = file.read_rows<std::int64_t>("index", rows),
                .distance = file.read_rows<double>("distance", rows)};
    const auto wrong = std::find_if(lists.index.begin(), lists.index.end(),
                                    [&](auto row) { return row < 0 || row >= rows.total; });
    VALIDATE(wrong == lists.index.end(),
             "'{}' is damaged: it lists row {} of {}; run neighbours again", path, *wrong,
             rows.total);
    return lists;
}

// The number of a row among the distinct ones, unless it repeats another.
std::optional<std::int64_t> number_of(std::int64_t row, const DistinctRows& distinct) {
    const auto found = std::lower_bound(distinct.original.begin(), distinct.original.end(), row);
    if (found == distinct.original.end() || *found != row) return std::nullopt;
    return found - distinct.original.begin();
}

struct Entry {
    std::int64_t row;  // whose neighbour
    std::int64_t index;
    double distance;
};

// For the ranks that have them among the distinct rows: the first k distinct neighbours of each
// distinct row that is given to this rank, fewer where its list has no more.
std::vector<std::vector<Entry>> distinct_entries(const Lists& lists, const DistinctRows& distinct,
                                                 int k, const comm::Communicator& comm) {
    const comm::BlockDistribution blocks(distinct.matrix.rows.total, comm.size());
    std::vector<std::vector<Entry>> parts(static_cast<std::size_t>(comm.size()));
    for (std::int64_t i = 0; i < distinct.given.count; ++i) {
        const auto number = number_of(distinct.given.first + i, distinct);
        if (!number) continue;
        auto& part = parts[static_cast<std::size_t>(blocks.owner(*number))];
        const auto full = part.size() + static_cast<std::size_t>(k);
        for (int j = 0; j < lists.k && part.size() < full; ++j) {
            const auto at = static_cast<std::size_t>(i * lists.k + j);
            if (const auto other = number_of(lists.index[at], distinct))
                part.push_back({*number, *other, lists.distance[at]});
        }
    }
    return parts;
}

// Cut to the shortest; k is below 1 if some row has none left.
Neighbours of_distinct_rows(const Lists& lists, const DistinctRows& distinct, int most,
                            const comm::Communicator& comm) {
    const auto rows = distinct.matrix.rows;
    const auto entries = comm.exchange(distinct_entries(lists, distinct, most, comm));
    std::vector<int> length(static_cast<std::size_t>(rows.count));
    for (const auto& part : entries)
        for (const auto& entry : part) ++length[static_cast<std::size_t>(entry.row - rows.first)];
    int shortest = most;
    for (const int of_row : length) shortest = std::min(shortest, of_row);
    shortest = comm.min(shortest);
    Neighbours result{.rows = rows, .k = shortest, .index = {}, .distance = {}};
    std::int64_t row = -1;
    int taken = 0;
    for (const auto& part : entries)
        for (const auto& entry : part) {
            taken = entry.row == row ? taken + 1 : 1;
            row = entry.row;
            if (taken > shortest) continue;
            result.index.push_back(entry.index);
            result.distance.push_back(entry.distance);
        }
    return result;
}

Neighbours cut(const Lists& lists, const comm::RowBlock& rows, int k) {
    Neighbours result{.rows = rows, .k = k, .index = {}, .distance = {}};
    for (std::int64_t i = 0; i < rows.count; ++i) {
        const auto at = i * lists.k;
        result.index.insert(result.index.end(), lists.index.begin() + at,
                            lists.index.begin() + at + k);
        result.distance.insert(result.distance.end(), lists.distance.begin() + at,
                               lists.distance.begin() + at + k);
    }
    return result;
}

}  // namespace

Metric metric_of(const std::string& name) {
    return name == "cosine" ? Metric::cosine : Metric::euclidean;
}

const char* name_of(Metric metric) {
    return metric == Metric::cosine ? "cosine" : "euclidean";
}

void make_unit_rows(std::span<double> rows, std::int64_t columns, std::int64_t first_row) {
    const auto width = static_cast<std::size_t>(columns);
    for (std::size_t at = 0; at < rows.size(); at += width) {
        const auto row = rows.subspan(at, width);
        double largest = 0, sum = 0;
        for (const double value : row) largest = std::max(largest, std::abs(value));
        VALIDATE(largest > 0,
                 "row {} (counted from 0) is zero: it has no direction, so no cosine; remove it or "
                 "use --metric euclidean",
                 first_row + static_cast<std::int64_t>(at / width));
        for (double& value : row) {
            value /= largest;  // so that squares neither overflow nor vanish
            sum += value * value;
        }
        const double length = std::sqrt(sum);
        for (double& value : row) value /= length;
    }
}

store::Matrix<double> unit_rows(store::Matrix<double> matrix, const comm::Communicator& comm) {
    store::agree_on_input(
        comm, [&] { make_unit_rows(matrix.values, matrix.columns, matrix.rows.first); });
    return matrix;
}

void MatrixHash::add(std::span<const double> rows, std::int64_t first_row) {
    const auto width = static_cast<std::size_t>(columns_);
    for (std::size_t at = 0; at < rows.size(); at += width) {
        const auto row = static_cast<std::uint64_t>(first_row) + at / width;
        auto high = base::mix(row + 1), low = base::mix(high);
        for (const double value : rows.subspan(at, width)) {
            const auto bits = std::bit_cast<std::uint64_t>(value == 0 ? 0.0 : value);
            high = base::mix(high ^ bits) + 0x9E3779B97F4A7C15ULL;
            low = base::mix(low + bits) ^ 0xD1B54A32D192ED03ULL;
        }
        sums_[0] += high;
        sums_[1] += low;
    }
}

std::string MatrixHash::digits(const comm::Communicator& comm) const {
    auto sums = sums_;
    comm.sum(std::span<std::uint64_t>(sums));
    return fmt::format("{:016x}{:016x}", base::mix(sums[0] ^ static_cast<std::uint64_t>(columns_)),
                       sums[1]);
}

std::string matrix_hash(const store::Matrix<double>& matrix, const comm::Communicator& comm) {
    MatrixHash hash(matrix.columns);
    hash.add(matrix.values, matrix.rows.first);
    return hash.digits(comm);
}

NeighbourWriter::NeighbourWriter(store::ArtefactWriter& writer, std::int64_t rows, int k)
    : writer_(writer) {
    writer.create<std::int64_t>("index", {rows, k});
    writer.create<double>("distance", {rows, k});
}

void NeighbourWriter::write(const Neighbours& lists) {
    const auto& rows = lists.rows;
    writer_.write_slab<std::int64_t>("index", lists.index, rows.first, rows.count);
    writer_.write_slab<double>("distance", lists.distance, rows.first, rows.count);
}

void write_origin(store::ArtefactWriter& writer, int k, const ListOrigin& origin) {
    writer.attribute("k", std::int64_t{k});
    writer.attribute("metric", std::string(name_of(origin.metric)));
    writer.attribute("matrix", origin.matrix);
}

void write_neighbours(store::ArtefactWriter& writer, const Neighbours& lists,
                      const ListOrigin& origin) {
    writer.write_rows<std::int64_t>("index", lists.index, lists.rows, {lists.k});
    writer.write_rows<double>("distance", lists.distance, lists.rows, {lists.k});
    write_origin(writer, lists.k, origin);
}

ListSource::ListSource(std::string path, const store::Matrix<double>& matrix,
                       const comm::Communicator& comm)
    : path_(std::move(path)), comm_(comm) {
    if (path_.empty()) return;
    const auto hash = matrix_hash(matrix, comm);
    store::agree_on_input(comm, [&] {
        const store::ArtefactReader file(path_, "neighbours");
        VALIDATE(file.text("matrix") == hash,
                 "'{}' lists the neighbours of another matrix (hash {}, this one has {}); run "
                 "neighbours "
                 "on this one",
                 path_, file.text("matrix"), hash);
        metric_ = metric_of(file.text("metric"));
    });
}

store::Matrix<double> ListSource::in_its_metric(store::Matrix<double> matrix) const {
    return metric_ == Metric::cosine ? unit_rows(std::move(matrix), comm_) : std::move(matrix);
}

Neighbours ListSource::lists(const DistinctRows& distinct, int least, int most) const {
    if (path_.empty()) return find_neighbours(distinct.matrix, most, comm_);
    Lists read;
    store::agree_on_input(comm_, [&] { read = read_lists(path_, distinct.given, least); });
    if (distinct.repeats() == 0) return cut(read, distinct.given, std::min(most, read.k));
    auto lists = of_distinct_rows(read, distinct, most, comm_);
    if (lists.k >= least) return lists;
    base::log_warning(
        fmt::format("repeated rows leave {} of the {} neighbours of some row in '{}', and {} are "
                    "needed; all are found anew",
                    lists.k, read.k, path_, least));
    return find_neighbours(distinct.matrix, most, comm_);
}

}  // namespace nanoatlas::cluster
