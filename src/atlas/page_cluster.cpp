// One cluster: what it is made of, what it borders on, and the members that show it.
#include <fmt/format.h>

#include <algorithm>

#include "atlas/charts.hpp"
#include "atlas/page_parts.hpp"
#include "atlas/portrait_page.hpp"
#include "atlas/text.hpp"

namespace nanoatlas::atlas {
namespace {

constexpr const char* root = "../";

std::string section(const std::string& title, const std::string& about, const std::string& body) {
    return fmt::format(R"(<section><h2>{}</h2><p class="about">{}</p>{}</section>)", title, about,
                       body);
}

class ClusterPage {
  public:
    ClusterPage(const Atlas& atlas, int cluster)
        : atlas_(atlas),
          cluster_(cluster),
          members_(atlas.members[static_cast<std::size_t>(cluster)]),
          gallery_(atlas.galleries[static_cast<std::size_t>(cluster)]) {}

    std::string content() const {
        std::string text = head();
        if (members_.rows.empty()) return text + "<p>This cluster has no members.</p>";
        text += portrait_section(atlas_, cluster_);
        text += R"(<div class="columns">)" + mixes() + pixel_sizes() + "</div>";
        text += neighbours() + splits();
        const auto& clusters = atlas_.inputs.clusters;
        const bool densities = !clusters.log_density.empty();
        const char* figure = densities ? "log density {:.2f}" : "probability {:.2f}";
        text += strip("Nearest to the centre", "What the cluster looks like at its heart.",
                      members_.nearest, "distance {:.3g}");
        text +=
            strip("From the centre outwards", "A fair sample: members at even steps of distance.",
                  members_.across, "distance {:.3g}");
        if (!members_.densest.empty())
            text += strip(densities ? "Densest" : "Most certain",
                          densities ? "Members with the most company around them."
                                    : "Members that belong with the highest probability.",
                          members_.densest, figure);
        if (!members_.border.empty())
            text += strip("At the border",
                          "Members that are nearly as close to another cluster's centre: margin 1 "
                          "at the centre, 0 half way, negative beyond.",
                          members_.border, "margin {:.2f}");
        text += members_.densest.empty()
                    ? strip("Odd ones", "Members farthest from the centre.", members_.odd,
                            "distance {:.3g}")
                    : strip("Odd ones", "Members that hardly belong: the least dense.",
                            members_.odd, figure);
        return text;
    }

  private:
    std::int64_t size() const { return static_cast<std::int64_t>(members_.rows.size()); }

    std::string head() const {
        const std::string centre =
            members_.centre < 0 ? ""
                                : picture(atlas_, gallery_, members_.centre, root, "the centre");
        const std::string medoid =
            members_.medoid < 0 || members_.medoid == members_.centre
                ? ""
                : picture(atlas_, gallery_, members_.medoid, root, "the medoid");
        std::string figures = figure_card(count_text(size()), "images") +
                              figure_card(percent_text(size(), atlas_.inputs.rows), "of all");
        if (atlas_.has_topography())
            figures +=
                figure_card(number_text(atlas_.topography.peak[static_cast<std::size_t>(cluster_)]),
                            "log density of the peak");
        const auto halo = values_of_halo();
        if (halo >= 0) figures += figure_card(percent_text(halo, size()), "halo");
        return fmt::format(
            R"(<div class="cluster-head">{}{}<div><p class="crumbs"><a href="../overview.html">Clusters</a></p>)"
            R"(<h1>{}<span data-cluster="{}">{}</span></h1><div class="figures">{}</div>)"
            R"(<p><a class="button" href="../index.html#cluster={}">Show on the map</a> )"
            R"(<a class="button" href="../names.html#cluster-{}">Name it</a></p></div></div>)",
            centre, medoid, colour_dot(cluster_colour(atlas_, cluster_)), cluster_,
            cluster_name(cluster_), figures, cluster_, cluster_);
    }

    /// Members in the halo; -1 if that is not known.
    std::int64_t values_of_halo() const {
        if (atlas_.inputs.clusters.halo.empty()) return -1;
        const auto halo = values_of(members_.rows, atlas_.inputs.clusters.halo);
        return std::count_if(halo.begin(), halo.end(), [](std::int32_t h) { return h != 0; });
    }

    std::string mixes() const {
        const auto& data = atlas_.inputs;
        std::string text;
        if (data.has_labels())
            text += section("Labels", "What its members were called.",
                            mix_bars(category_counts(values_of(members_.rows, data.label)), size(),
                                     data.classes, atlas_.class_colours));
        if (data.predictions)
            text +=
                section("Predictions", "What a network calls them.",
                        mix_bars(category_counts(values_of(members_.rows, data.predictions->label)),
                                 size(), data.predictions->classes, atlas_.prediction_colours));
        return text;
    }

    std::string pixel_sizes() const {
        const auto histogram =
            log_histogram(values_of(members_.rows, atlas_.inputs.pixel_size), atlas_.pixel_bins);
        const auto whole = log_histogram(atlas_.inputs.pixel_size, atlas_.pixel_bins);
        const std::string about =
            histogram.bins.count() == 0
                ? ""
                : fmt::format(
                      "Of the original images; {} unknown. Outlined: all images, to a "
                      "scale of their own.",
                      count_text(histogram.unknown));
        return section("Pixel sizes", about, histogram_chart(histogram, whole, "Pixel sizes"));
    }

    std::string neighbours() const {
        if (!atlas_.has_topography()) return "";
        std::vector<int> others;
        for (int k = 0; k < atlas_.clusters(); ++k)
            if (atlas_.topography.has_saddle(cluster_, k)) others.push_back(k);
        if (others.empty())
            return section("Neighbours", "No saddle connects it with another cluster.", "");
        std::stable_sort(others.begin(), others.end(), [&](int a, int b) {
            return atlas_.topography.saddle_between(cluster_, a) >
                   atlas_.topography.saddle_between(cluster_, b);
        });
        std::string rows;
        for (const int other : others) rows += neighbour_row(other);
        return section(
            "Neighbours",
            "Clusters that it borders on, the densest saddle first. Separation: by how many "
            "standard errors the lower of the two peaks stands above the saddle.",
            R"(<div class="scroll"><table class="list"><thead><tr><th></th><th scope="col">cluster</th>)"
            R"(<th scope="col">images</th><th scope="col">saddle, log density</th>)"
            R"(<th scope="col">separation</th></tr></thead><tbody>)" +
                rows + "</tbody></table></div>");
    }

    std::string neighbour_row(int other) const {
        const auto& members = atlas_.members[static_cast<std::size_t>(other)];
        return fmt::format(
            R"(<tr><td><span class="small">{}</span></td><th scope="row">{}</th><td class="number">{}</td>)"
            R"(<td class="number">{:.2f}</td><td class="number">{:.1f}</td></tr>)",
            members.centre < 0 ? ""
                               : bare_picture(atlas_.covers, members.centre, root,
                                              "centre of " + cluster_name(other)),
            cluster_link(atlas_, other, root),
            count_text(static_cast<std::int64_t>(members.rows.size())),
            atlas_.topography.saddle_between(cluster_, other),
            atlas_.significance(cluster_, other));
    }

    std::string splits() const {
        if (atlas_.splits.empty()) return "";
        const auto& tree = atlas_.splits[static_cast<std::size_t>(cluster_)];
        if (tree.leaves.size() < 2)
            return section("Parts", "It stays whole at any lower significance.", "");
        std::string pictures;
        for (const int leaf : tree.leaves) {
            const auto& part = tree.parts[static_cast<std::size_t>(leaf)];
            pictures +=
                picture(atlas_, gallery_, part.centre, root, count_text(part.images) + " images");
        }
        return section("Parts",
                       "What it would fall into at a lower significance Z: a line forks at the Z "
                       "below which its parts are clusters of their own; below it, the image at "
                       "the peak of each part.",
                       R"(<div class="scroll">)" + split_chart(atlas_, {&tree}, root) +
                           R"(</div><div class="pictures">)" + pictures + "</div>");
    }

    std::string strip(const std::string& title, const std::string& about,
                      const std::vector<Exemplar>& exemplars, const char* note) const {
        if (exemplars.empty()) return "";
        std::string pictures;
        for (const auto& [row, value] : exemplars)
            pictures +=
                picture(atlas_, gallery_, row, root, fmt::format(fmt::runtime(note), value));
        const std::string shown = fmt::format("{} of {}.", exemplars.size(), count_text(size()));
        return section(title, about + " " + shown,
                       R"(<div class="pictures">)" + pictures + "</div>");
    }

    const Atlas& atlas_;
    int cluster_;
    const ClusterMembers& members_;
    const Gallery& gallery_;
};

}  // namespace

PageFile cluster_page(const Atlas& atlas, int cluster) {
    return frame_page(atlas, fmt::format("clusters/{}.html", cluster), cluster_name(cluster),
                      ClusterPage(atlas, cluster).content(), {"names.js"});
}

}  // namespace nanoatlas::atlas
