// nanoatlas enhance: features whose distances tell more, by a chain of steps.
#include "base/log.hpp"
#include "base/options.hpp"
#include "comm/session.hpp"
#include "jobs/enhancement.hpp"
#include "jobs/jobs.hpp"
#include "store/artefact.hpp"
#include "store/output.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {
namespace {

struct Options {
    std::string input, output, steps = "on", corpus;
};

base::OptionTable describe(Options& options) {
    base::OptionTable table("enhance", "features whose distances tell more");
    table.add("input", options.input, "matrix: FILE.h5, FILE.h5:/dataset, .npy, .csv or .txt")
        .required();
    table.add("output", options.output, "features.h5 to write; .npy, .csv or .txt: a plain table")
        .required();
    table.add("steps", options.steps,
              "on: power,center,l2; or by commas: " + reduce::EnhancementChain::steps_in_words());
    table.add("corpus", options.corpus, "corpus.h5 of these rows, for their pixel sizes");
    return table;
}

void write(const Options& options, const reduce::FeatureMatrix& matrix,
           const reduce::EnhancementChain& chain, const store::Provenance& provenance,
           const comm::Communicator& world) {
    if (store::is_plain_table(options.output))
        return store::write_plain_table(options.output, matrix, world);
    store::ArtefactWriter file(options.output, "features", world);
    file.attribute("steps", chain.text());
    file.write_rows<float>("features", matrix.values, matrix.rows, {matrix.columns});
    file.publish(provenance);
}

}  // namespace

int run_enhance(const Arguments& arguments, const comm::Communicator& world) {
    Options options;
    auto table = describe(options);
    if (table.parse(arguments) == base::Parsed::done) return comm::exit_status::done;
    store::check_output(options.output, world);
    const reduce::EnhancementChain chain(options.steps);

    store::Provenance provenance(table, world);
    provenance.add_input(store::file_of_source(options.input));
    auto matrix = store::read_matrix<float>(options.input, world);
    const auto columns = matrix.columns;
    enhance(matrix, chain, options.corpus, provenance, world);
    write(options, matrix, chain, provenance, world);
    base::print(fmt::format("{} rows of {} features -> {} ({}) -> {}", matrix.rows.total, columns,
                            matrix.columns, chain.text(), options.output));
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
