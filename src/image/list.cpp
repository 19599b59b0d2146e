#include "image/list.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/check.hpp"
#include "image/grey_image.hpp"
#include "image/idx.hpp"

namespace nanoatlas::image {
namespace {

namespace fs = std::filesystem;

std::string lower_extension(const std::string& name) {
    auto extension = fs::path(name).extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return extension;
}

bool is_image_name(const std::string& name) {
    static constexpr std::array<const char*, 5> extensions = {".tif", ".tiff", ".jpg", ".jpeg",
                                                              ".png"};
    return std::find(extensions.begin(), extensions.end(), lower_extension(name)) !=
           extensions.end();
}

bool is_list_name(const std::string& name) {
    const auto extension = lower_extension(name);
    return extension == ".txt" || extension == ".lst";
}

bool is_idx_labels_name(const std::string& name) {
    return name.find("idx1-ubyte") != std::string::npos;
}

/// Files beside an image that may describe it: SEC's x.jpg.txt, Hitachi's x.txt, Tescan's x.hdr and
/// x-jpg.hdr.
std::array<std::string, 4> sidecar_names(const std::string& name) {
    const fs::path path(name);
    const auto stem = path.stem().string(), extension = path.extension().string();
    return {name + ".txt", stem + ".txt", stem + ".hdr",
            stem + "-" + (extension.empty() ? extension : extension.substr(1)) + ".hdr"};
}

std::string folder_of(const std::string& relative) {
    const auto slash = relative.rfind('/');
    return slash == std::string::npos ? "" : relative.substr(0, slash);
}

class Lister {
  public:
    Listing take() {
        auto& sources = listing_.sources;
        const auto by_path = [](const auto& a, const auto& b) { return a.path < b.path; };
        std::stable_sort(sources.begin(), sources.end(), by_path);
        const auto same = [](const Source& a, const Source& b) { return a.path == b.path; };
        sources.erase(std::unique(sources.begin(), sources.end(), same), sources.end());
        std::stable_sort(listing_.rejected.begin(), listing_.rejected.end(), by_path);
        return std::move(listing_);
    }

    void add_given(const std::string& given) {
        std::error_code error;
        const auto status = fs::status(given, error);
        VALIDATE(fs::exists(status),
                 "cannot read images from '{}' ({}); give a folder, an image, a "
                 "list (.txt) or an IDX file",
                 given, error ? error.message() : "No such file or directory");
        if (fs::is_directory(status)) return walk_root(given);
        if (is_list_name(given)) return add_list(given);
        if (is_idx_labels_name(given)) return;
        add_file(given, fs::path(given).filename().string(), "", {});
    }

  private:
    struct Folder {
        std::string path, relative;
    };
    using Names = std::set<std::string>;

    /// Real folders first, then those that are reached by links alone; each folder once, so cycles
    /// end.
    void walk_root(const std::string& root) {
        std::vector<Folder> links{{root, ""}};
        while (!links.empty()) {
            std::vector<Folder> further;
            for (const auto& link : links) walk(link, further);
            links = std::move(further);
        }
    }

    void walk(const Folder& folder, std::vector<Folder>& links) {
        struct stat status {};
        if (::stat(folder.path.c_str(), &status) != 0) return reject(folder.path, "cannot be read");
        if (!visited_.insert({status.st_dev, status.st_ino}).second) return;

        std::error_code error;
        Names files;
        std::vector<Folder> folders;
        fs::directory_iterator entry(folder.path, error), end;
        if (error)
            return reject(folder.path,
                          fmt::format("is a folder that cannot be opened ({})", error.message()));
        while (entry != end) {
            sort_entry(*entry, folder, files, folders, links);
            entry.increment(error);
            if (error)
                return reject(folder.path,
                              fmt::format("is a folder that cannot be read to its end ({})",
                                          error.message()));
        }
        for (const auto& name : files) add_entry(folder, name, files);
        std::sort(folders.begin(), folders.end(),
                  [](const auto& a, const auto& b) { return a.path < b.path; });
        for (const auto& inner : folders) walk(inner, links);
    }

    void sort_entry(const fs::directory_entry& entry, const Folder& folder, Names& files,
                    std::vector<Folder>& folders, std::vector<Folder>& links) {
        const auto name = entry.path().filename().string();
        if (name.starts_with(".")) return;
        std::error_code ignored;
        const Folder inner{entry.path().string(), folder.relative + name + "/"};
        if (!entry.is_directory(ignored))
            files.insert(name);
        else if (entry.is_symlink(ignored))
            links.push_back(inner);
        else
            folders.push_back(inner);
    }

    void add_entry(const Folder& folder, const std::string& name, const Names& names) {
        if (!is_image_name(name) && !is_idx_name(name)) {
            ++listing_.passed_over;
            return;
        }
        const auto relative = folder.relative + name;
        add_file((fs::path(folder.path) / name).string(), relative, folder_of(relative), names);
    }

    /// names: what lies in its folder; empty: look for sidecars on disk.
    void add_file(const std::string& path, const std::string& relative, const std::string& label,
                  const Names& names) {
        struct stat status {};
        if (::stat(path.c_str(), &status) != 0)
            return reject(path, errno == ENOENT
                                    ? "is missing, or a link to nothing"
                                    : fmt::format("cannot be read ({})", std::strerror(errno)));
        if (is_idx_name(path)) return add_idx(path, relative);
        listing_.sources.push_back({.path = path,
                                    .relative = relative,
                                    .folder_label = label,
                                    .sidecar = sidecar_of(path, names),
                                    .bytes = status.st_size});
    }

    static std::string sidecar_of(const std::string& path, const Names& names) {
        const fs::path image(path);
        for (const auto& name : sidecar_names(image.filename().string())) {
            const auto candidate = image.parent_path() / name;
            std::error_code ignored;
            const bool there =
                names.empty() ? fs::is_regular_file(candidate, ignored) : names.contains(name);
            if (there) return candidate.string();
        }
        return "";
    }

    void add_idx(const std::string& path, const std::string& relative) try {
        const auto images = open_idx_images(path);
        const auto labels_path = idx_labels_of(path);
        const auto labels =
            labels_path.empty() ? std::vector<std::uint8_t>{} : read_idx_labels(labels_path);
        const auto name = fs::path(path).filename().string();
        const bool is_test = name.starts_with("t10k") || name.starts_with("test");
        const auto digits = std::to_string(images->count).size();
        for (int i = 0; i < images->count; ++i) {
            const auto suffix = fmt::format("#{:0{}}", i, digits);
            const auto at = static_cast<std::size_t>(i);
            listing_.sources.push_back(
                {.path = path + suffix,
                 .relative = relative + suffix,
                 .folder_label = at < labels.size() ? std::to_string(labels[at]) : "",
                 .sidecar = "",
                 .idx = i,
                 .bytes = std::int64_t{images->width} * images->height,
                 .in_test_set = is_test});
        }
    } catch (const Unusable& cause) {
        reject(path, cause.what());
    }

    void add_list(const std::string& list) {
        std::ifstream file(list);
        VALIDATE(file.good(), "cannot read the list '{}' ({}); give a readable file", list,
                 std::strerror(errno));
        for (std::string line; std::getline(file, line);) {
            while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())))
                line.pop_back();
            if (line.empty() || line.starts_with("#")) continue;
            const auto path = fs::path(list).parent_path() / line;
            add_file(path.string(), line, path.parent_path().filename().string(), {});
        }
    }

    void reject(const std::string& path, const std::string& cause) {
        listing_.rejected.push_back({path, cause});
    }

    Listing listing_;
    std::set<std::pair<dev_t, ino_t>> visited_;
};

}  // namespace

Listing list_sources(const std::vector<std::string>& given) {
    Lister lister;
    for (const auto& path : given) lister.add_given(path);
    return lister.take();
}

}  // namespace nanoatlas::image
