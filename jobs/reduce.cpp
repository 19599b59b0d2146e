// nanoatlas reduce: fewer columns for each row of a matrix.
#include <map>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/options.hpp"
#include "comm/session.hpp"
#include "jobs/enhancement.hpp"
#include "jobs/jobs.hpp"
#include "jobs/reduce_method.hpp"
#include "store/output.hpp"

namespace nanoatlas::jobs {
namespace {

struct Options {
    std::string input, method = "pca", enhance = "off", corpus;
};

base::OptionTable describe(Options& options, SharedReduceOptions& shared) {
    base::OptionTable table("reduce", "fewer columns for each row of a matrix");
    table.add("input", options.input, "matrix: FILE.h5, FILE.h5:/dataset, .npy, .csv or .txt")
        .required();
    table.add("output", shared.output, "embedding.h5 to write; .npy, .csv or .txt: a plain table")
        .required();
    table
        .add("method", options.method,
             "pca: principal components; autoencoder: a network that learns to pass rows on by "
             "few numbers; tsne: a map to look at, not to measure on")
        .choices({"pca", "autoencoder", "tsne"});
    table.add("components", shared.components,
              "columns to keep (50; tsne: 2), or for pca below 1 the share of the variance: 0.95");
    table.add("seed", shared.seed, "of what is drawn at random");
    table.add("fitted", shared.fitted,
              "embedding.h5 of that method: its fit is applied to these rows, none is made");
    table
        .add("enhance", options.enhance,
             "first; off, on: power,center,l2, or by commas: " +
                 reduce::EnhancementChain::steps_in_words())
        .may_stand_alone();
    table.add("corpus", options.corpus, "corpus.h5 of these rows, for enhancement by pixel size");
    return table;
}

void write(const Options& options, const std::string& output, const store::Matrix<float>& embedding,
           const ReduceMethod& method, const store::Provenance& provenance,
           const comm::Communicator& world) {
    if (store::is_plain_table(output)) return store::write_plain_table(output, embedding, world);
    store::ArtefactWriter file(output, "embedding", world);
    file.write_rows<float>("embedding", embedding.values, embedding.rows, {embedding.columns});
    method.write(file);
    file.attribute("method", options.method);
    file.attribute("enhance", options.enhance);
    file.publish(provenance);
}

}  // namespace

bool ReduceInput::can_stay_in_file() const {
    return chain.is_empty() && store::can_stay_in_file(source);
}

store::Matrix<double> ReduceInput::read_as_given(store::Provenance& provenance,
                                                 const comm::Communicator& world) const {
    const auto scope = provenance.phases().measure("reduce/read");
    return store::read_matrix<double>(source, world);
}

store::Matrix<float> ReduceInput::read(store::Provenance& provenance,
                                       const comm::Communicator& world) const {
    auto matrix = [&] {
        const auto scope = provenance.phases().measure("reduce/read");
        return store::read_matrix<float>(source, world);
    }();
    enhance(matrix, chain, corpus, provenance, world);
    return matrix;
}

void check_fit(const store::ArtefactReader& file, const std::string& method,
               const ReduceInput& input) {
    const auto found = file.text("method");
    VALIDATE(
        found == method,
        "'{}' holds what --method {} fitted, which {} cannot use; give --method {}, or another "
        "--fitted",
        file.path(), found, method, found);
    VALIDATE(input.chain.is_empty() && reduce::EnhancementChain(file.text("enhance")).is_empty(),
             "'{}' or these rows are to be enhanced in reduce (by figures of all rows, which a fit "
             "does not keep); run enhance on its own first, and reduce without --enhance",
             file.path());
}

int run_reduce(const Arguments& arguments, const comm::Communicator& world) {
    Options options;
    const auto shared = std::make_shared<SharedReduceOptions>();
    std::map<std::string, std::unique_ptr<ReduceMethod>> methods;
    methods.emplace("pca", make_pca(shared));
    methods.emplace("autoencoder", make_autoencoder(shared));
    methods.emplace("tsne", make_tsne(shared));
    auto table = describe(options, *shared);
    for (auto& [name, method] : methods) method->add_options(table);
    if (table.parse(arguments) == base::Parsed::done) return comm::exit_status::done;
    store::check_output(shared->output, world);
    auto& method = *methods.at(options.method);
    if (shared->components.empty()) shared->components = method.default_components();

    store::Provenance provenance(table, world);
    provenance.add_input(store::file_of_source(options.input));
    if (!shared->fitted.empty()) provenance.add_input(shared->fitted);
    const ReduceInput input{.source = options.input,
                            .corpus = options.corpus,
                            .chain = reduce::EnhancementChain(options.enhance)};
    const auto embedding = method.run(input, provenance, world);
    write(options, shared->output, embedding, method, provenance, world);
    base::print(
        fmt::format("{} rows of {} -> {}", embedding.rows.total, method.summary(), shared->output));
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
