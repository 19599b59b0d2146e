// The subcommands of nanoatlas, one file each: read options, name the stages in order, print the
// summary.
#pragma once

#include <string>
#include <vector>

#include "comm/communicator.hpp"

namespace nanoatlas::jobs {

using Arguments = std::vector<std::string>;

/// Collective. Returns the exit status; throws InputError for the user's mistakes.
using RunJob = int (*)(const Arguments& arguments, const comm::Communicator& world);

struct Job {
    const char* name;
    const char* summary;
    RunJob run;
};

/// All jobs, in the order of the way of the data.
const std::vector<Job>& all_jobs();
/// nullptr if there is none of that name.
const Job* find_job(const std::string& name);

int run_synth(const Arguments& arguments, const comm::Communicator& world);
int run_ingest(const Arguments& arguments, const comm::Communicator& world);
int run_import_model(const Arguments& arguments, const comm::Communicator& world);
int run_export_model(const Arguments& arguments, const comm::Communicator& world);
int run_train(const Arguments& arguments, const comm::Communicator& world);
int run_evaluate(const Arguments& arguments, const comm::Communicator& world);
int run_classify(const Arguments& arguments, const comm::Communicator& world);
int run_adapt(const Arguments& arguments, const comm::Communicator& world);
int run_extract(const Arguments& arguments, const comm::Communicator& world);
int run_enhance(const Arguments& arguments, const comm::Communicator& world);
int run_reduce(const Arguments& arguments, const comm::Communicator& world);
int run_dimension(const Arguments& arguments, const comm::Communicator& world);
int run_neighbours(const Arguments& arguments, const comm::Communicator& world);
int run_cluster(const Arguments& arguments, const comm::Communicator& world);
int run_assign(const Arguments& arguments, const comm::Communicator& world);
int run_score(const Arguments& arguments, const comm::Communicator& world);
int run_report(const Arguments& arguments, const comm::Communicator& world);
int run_bench(const Arguments& arguments, const comm::Communicator& world);
int run_info(const Arguments& arguments, const comm::Communicator& world);
int run_run(const Arguments& arguments, const comm::Communicator& world);

}  // namespace nanoatlas::jobs
