#include "atlas/scan_charts.hpp"

#include "atlas/line_chart.hpp"

namespace nanoatlas::atlas {
namespace {

std::size_t at(std::int64_t place) {
    return static_cast<std::size_t>(place);
}

bool is_of_sizes(const Scan& scan) {
    return scan.setting == ScannedSetting::least_size;
}

/// One value of each subsample over the setting, each faint, and their mean.
std::vector<LineSeries> over_subsamples(const Scan& scan, const std::vector<double>& values,
                                        const std::string& name) {
    std::vector<LineSeries> series = {{.name = name, .points = {}}};
    const auto trials = at(scan.subsamples());
    for (std::size_t t = 0; t < trials; ++t) series.push_back({"", {}, true});
    for (std::size_t s = 0; s < scan.value.size(); ++s) {
        double sum = 0;
        for (std::size_t t = 0; t < trials; ++t) {
            sum += values[s * trials + t];
            series[1 + t].points.emplace_back(scan.value[s], values[s * trials + t]);
        }
        series[0].points.emplace_back(scan.value[s], sum / static_cast<double>(trials));
    }
    return series;
}

LineSeries line_of(const Scan& scan, const std::vector<double>& values, const std::string& name) {
    LineSeries line{.name = name, .points = {}};
    for (std::size_t s = 0; s < values.size(); ++s)
        line.points.emplace_back(scan.value[s], values[s]);
    return line;
}

/// what: stands before "over ..." in the title
std::string chart_over_setting(const Scan& scan, const std::string& what,
                               std::vector<LineSeries> series) {
    return line_chart({.title = what + (is_of_sizes(scan) ? " over the least size of a cluster"
                                                          : " over significance Z"),
                       .x_name = is_of_sizes(scan) ? "least size of a cluster" : "significance Z",
                       .is_log_x = is_of_sizes(scan),
                       .series = std::move(series)});
}

}  // namespace

std::string stability_chart(const Scan& scan) {
    auto series = over_subsamples(scan, scan.ari, "ARI, mean of the parts");
    auto ami = over_subsamples(scan, scan.ami, "AMI, mean");
    series.insert(series.begin() + 1, std::move(ami.front()));
    return chart_over_setting(scan, "Agreement of the clusters with those of random parts",
                              std::move(series));
}

std::string cluster_number_chart(const Scan& scan) {
    std::vector<LineSeries> series = {line_of(scan, scan.clusters, "clusters of all images")};
    if (scan.subsamples() > 0) {
        auto parts = over_subsamples(scan, scan.subsample_clusters, "of 80 % of them, mean");
        series.insert(series.end(), parts.begin(), parts.end());
    }
    return chart_over_setting(scan, "Number of clusters", std::move(series));
}

std::string quality_chart(const Scan& scan) {
    return chart_over_setting(scan, "Validity, persistence and noise",
                              {line_of(scan, scan.validity, "relative validity"),
                               line_of(scan, scan.persistence, "mean persistence"),
                               line_of(scan, scan.noise, "share of noise")});
}

const char* cluster_number_file(const Scan& scan) {
    return is_of_sizes(scan) ? "clusters-by-size" : "clusters-by-Z";
}

}  // namespace nanoatlas::atlas
