#include "jobs/jobs.hpp"

namespace nanoatlas::jobs {

const std::vector<Job>& all_jobs() {
    static const std::vector<Job> jobs = {
        {"synth", "draws micrographs of ten categories by a physical model", run_synth},
        {"ingest", "images of any kind become one corpus", run_ingest},
        {"import-model", "turns weights from elsewhere into a model", run_import_model},
        {"export-model", "turns a model into weights for PyTorch", run_export_model},
        {"train", "a network learns the labelled images of a corpus", run_train},
        {"evaluate", "how well a model knows the labelled images of a corpus", run_evaluate},
        {"classify", "which class a model sees in each image", run_classify},
        {"adapt", "a network learns to see a corpus, without labels", run_adapt},
        {"extract", "what a network sees in each image, as a row of numbers", run_extract},
        {"enhance", "features whose distances tell more", run_enhance},
        {"reduce", "fewer columns for each row of a matrix", run_reduce},
        {"dimension", "in how many directions the rows of a matrix vary", run_dimension},
        {"neighbours", "the nearest rows of each row of a matrix", run_neighbours},
        {"cluster", "groups the rows of a matrix", run_cluster},
        {"assign", "puts new rows into clusters that are there", run_assign},
        {"score", "how well clusters agree with known labels", run_score},
        {"report", "draws the atlas, a folder of pages to open in a browser", run_report},
        {"info", "says what a file is, where it came from, whether it is whole", run_info},
        {"bench", "how fast the parts are here, measured", run_bench},
        {"run", "walks the whole way, from images to an atlas", run_run},
    };
    return jobs;
}

const Job* find_job(const std::string& name) {
    for (const auto& job : all_jobs())
        if (name == job.name) return &job;
    return nullptr;
}

}  // namespace nanoatlas::jobs
