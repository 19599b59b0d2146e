// nanoatlas reduce: fewer columns for each row of a matrix.
#include "base/log.hpp"
#include "base/options.hpp"
#include "comm/session.hpp"
#include "jobs/enhancement.hpp"
#include "jobs/jobs.hpp"
#include "reduce/pca.hpp"
#include "store/artefact.hpp"
#include "store/output.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {
namespace {

struct Options {
    std::string input, output, method = "pca", enhance = "off", corpus;
    reduce::PcaOptions pca;
    bool whiten = false;
};

base::OptionTable describe(Options& options) {
    base::OptionTable table("reduce", "fewer columns for each row of a matrix");
    table.add("input", options.input, "matrix: FILE.h5, FILE.h5:/dataset, .npy, .csv or .txt")
        .required();
    table.add("output", options.output, "embedding.h5 to write; .npy, .csv or .txt: a plain table")
        .required();
    table.add("method", options.method, "pca: principal components").choices({"pca"});
    table.add("components", options.pca.components,
              "columns to keep, or below 1 the share of the variance: 0.95");
    table.add("whiten", options.whiten, "scale the columns to equal variance");
    table
        .add("enhance", options.enhance,
             "first; off, on: power,center,l2, or by commas: " +
                 reduce::EnhancementChain::steps_in_words())
        .may_stand_alone();
    table.add("corpus", options.corpus, "corpus.h5 of these rows, for enhancement by pixel size");
    return table;
}

void write(const Options& options, const store::Matrix<float>& embedding, const reduce::Pca& pca,
           const store::Provenance& provenance, const comm::Communicator& world) {
    if (store::is_plain_table(options.output))
        return store::write_plain_table(options.output, embedding, world);
    const auto k = pca.count(), columns = static_cast<std::int64_t>(pca.mean.size());
    store::ArtefactWriter file(options.output, "embedding", world);
    file.write_rows<float>("embedding", embedding.values, embedding.rows, {k});
    file.write_whole<double>("mean", pca.mean, {columns});
    file.write_whole<double>("components", pca.components, {k, columns});
    file.write_whole<double>("explained_variance", pca.explained_variance, {k});
    file.write_whole<double>("explained_variance_ratio", pca.explained_variance_ratio, {k});
    file.publish(provenance);
}

void print_summary(const Options& options, std::int64_t rows, const reduce::Pca& pca) {
    double kept = 0;
    for (const auto ratio : pca.explained_variance_ratio) kept += ratio;
    base::print(
        fmt::format("{} rows of {} columns -> {} components, {:.2f} % of the variance -> {}", rows,
                    pca.mean.size(), pca.count(), 100 * kept, options.output));
}

}  // namespace

int run_reduce(const Arguments& arguments, const comm::Communicator& world) {
    Options options;
    auto table = describe(options);
    if (table.parse(arguments) == base::Parsed::done) return comm::exit_status::done;
    store::check_output(options.output, world);
    const reduce::EnhancementChain chain(options.enhance);

    store::Provenance provenance(table, world);
    provenance.add_input(store::file_of_source(options.input));
    auto& phases = provenance.phases();
    auto matrix = [&] {
        const auto scope = phases.measure("reduce/read");
        return store::read_matrix<float>(options.input, world);
    }();
    enhance(matrix, chain, options.corpus, provenance, world);
    const auto pca = [&] {
        const auto scope = phases.measure("reduce/pca");
        return reduce::fit_pca(matrix, options.pca, world);
    }();
    const auto embedding = [&] {
        const auto scope = phases.measure("reduce/project");
        return reduce::project(matrix, pca,
                               options.whiten ? reduce::Whiten::on : reduce::Whiten::off);
    }();
    write(options, embedding, pca, provenance, world);
    print_summary(options, matrix.rows.total, pca);
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
