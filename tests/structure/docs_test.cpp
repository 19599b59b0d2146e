// What the docs quote is what is compiled.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

std::string read(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(std::filesystem::path(NANOATLAS_SOURCE) / path).rdbuf();
    return text.str();
}

/// The blocks of code of a page.
std::vector<std::string> code_blocks(const std::string& page) {
    const std::string opening = "```cpp\n", closing = "```";
    std::vector<std::string> blocks;
    for (auto at = page.find(opening); at != std::string::npos;) {
        const auto first = at + opening.size(), end = page.find(closing, first);
        blocks.push_back(page.substr(first, end - first));
        at = page.find(opening, end);
    }
    return blocks;
}

TEST(Docs, a_network_in_thirty_lines_is_one_of_the_zoo) {
    const auto blocks = code_blocks(read("docs/networks.md"));
    ASSERT_EQ(blocks.size(), 2U);
    EXPECT_EQ(blocks[0], read("src/nn/zoo/vgg.cpp"));

    std::stringstream rows(blocks[1]);
    std::string declaration, row;
    std::getline(rows, declaration);
    std::getline(rows, row);
    EXPECT_NE(read("src/nn/zoo/families.hpp").find(declaration), std::string::npos);
    EXPECT_NE(read("src/nn/zoo/zoo.cpp").find(row), std::string::npos);
}

}  // namespace
