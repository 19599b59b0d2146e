// Tables of numbers as text: .txt, .csv.
//
// Fields are separated by commas, by semicolons or by blanks, as the first line says. A first line
// without any number is a header. Empty lines and lines that begin with # are passed over.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "comm/communicator.hpp"
#include "store/matrix.hpp"

namespace nanoatlas::store {

/// Each rank parses a part of the file's bytes; then rows are moved to the ranks that keep them.
/// Collective. throws InputError if it cannot be read, or names the first line that has a field
/// that is no number, or another number of fields than the first
template <class T>
Matrix<T> read_text_table(const std::string& path, const comm::Communicator& comm);

/// One column of a table of text, whole.
struct TextColumn {
    std::vector<std::string> fields;
    std::vector<std::int64_t> lines;  ///< line of each field, from 1, for messages
};
/// The column of that name, or the only one. Not collective. throws InputError if the table has
/// several columns and none of that name, or rows of different lengths
TextColumn read_text_column(const std::string& path, std::string_view name);

/// True if the whole field is one number; nan and inf are numbers here.
bool parse_number(std::string_view field, double& value);

}  // namespace nanoatlas::store
