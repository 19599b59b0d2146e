#include "jobs/jobs.hpp"

namespace nanoatlas::jobs {

const std::vector<Job>& all_jobs() {
    static const std::vector<Job> jobs = {
    };
    return jobs;
}

const Job* find_job(const std::string& name) {
    for (const auto& job : all_jobs())
        if (name == job.name) return &job;
    return nullptr;
}

}  // namespace nanoatlas::jobs
