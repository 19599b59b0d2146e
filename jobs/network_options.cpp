#include "jobs/network_options.hpp"

namespace nanoatlas::jobs {

void add_network_options(base::OptionTable& table, NetworkChoice& choice, const std::string& where,
                         const std::vector<std::string>& precisions) {
    table.add("precision", choice.precision, where + "of activations").choices(precisions);
    table.add("backend", choice.backend, where + "who computes")
        .choices({"onednn", "cudnn", "reference"});
}

}  // namespace nanoatlas::jobs
