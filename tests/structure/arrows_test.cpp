// Folders include only what docs and DESIGN allow: jobs -> src -> kernels, and within src only the
// folders listed here.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>

namespace {

namespace fs = std::filesystem;
using Folders = std::set<std::string>;

// Folder of src -> folders it may include from; "kernels" stands for all of kernels/.
const std::map<std::string, Folders>& allowed() {
    static const std::map<std::string, Folders> table = {
        {"base", {}},
        {"comm", {"base"}},
        {"store", {"base", "comm"}},
        {"image", {"base"}},
        {"metadata", {"base", "image"}},
        {"ingest", {"base", "comm", "store", "image", "metadata"}},
        {"synth", {"base", "comm"}},
        {"nn", {"base", "comm", "store", "image", "kernels"}},
        {"reduce", {"base", "comm", "store", "kernels", "nn"}},
        {"cluster", {"base", "comm", "store", "kernels"}},
        {"atlas",
         {"base", "comm", "store", "image", "metadata", "nn", "reduce", "cluster", "kernels"}},
    };
    return table;
}

std::set<std::string> project_includes(const fs::path& file) {
    static const std::regex pattern(R"re(^\s*#include\s+"([^"]+)")re");
    std::set<std::string> includes;
    std::ifstream text(file);
    for (std::string line; std::getline(text, line);)
        if (std::smatch match; std::regex_search(line, match, pattern)) includes.insert(match[1]);
    return includes;
}

std::vector<fs::path> sources_below(const fs::path& folder) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        const auto extension = entry.path().extension();
        if (extension == ".hpp" || extension == ".cpp" || extension == ".cu")
            files.push_back(entry.path());
    }
    return files;
}

std::string first_part(const std::string& path) {
    return path.substr(0, path.find('/'));
}

TEST(Arrows, folders_of_src_include_only_what_they_may) {
    const fs::path src = fs::path(NANOATLAS_SOURCE) / "src";
    for (const auto& entry : fs::directory_iterator(src)) {
        if (!entry.is_directory()) continue;
        const auto folder = entry.path().filename().string();
        ASSERT_TRUE(allowed().contains(folder)) << "src/" << folder << " has no row in this table";
        for (const auto& file : sources_below(entry.path()))
            for (const auto& include : project_includes(file)) {
                const auto target = first_part(include);
                if (target == folder || include.find('/') == std::string::npos) continue;
                EXPECT_TRUE(allowed().at(folder).contains(target))
                    << fs::relative(file, src) << " includes " << include;
            }
    }
}

TEST(Arrows, kernels_include_nothing_of_src_and_only_the_reference_beside_them) {
    const fs::path kernels = fs::path(NANOATLAS_SOURCE) / "kernels";
    for (const auto& file : sources_below(kernels))
        for (const auto& include : project_includes(file))
            EXPECT_TRUE(first_part(include) == "kernels" || include.find('/') == std::string::npos)
                << fs::relative(file, kernels) << " includes " << include;
}

TEST(Arrows, nothing_includes_from_jobs_but_jobs) {
    for (const char* folder : {"src", "kernels"})
        for (const auto& file : sources_below(fs::path(NANOATLAS_SOURCE) / folder))
            for (const auto& include : project_includes(file))
                EXPECT_NE(first_part(include), "jobs") << file;
}

}  // namespace
