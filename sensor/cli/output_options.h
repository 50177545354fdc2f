// Options of several commands: how their output looks.
#pragma once

#include "CLI/CLI.hpp"

namespace kvmsentry {

void AddJson(CLI::App& command, bool& json);

// After AddJson. WHAT: what it does to the command's output.
void AddWide(CLI::App& command, bool& wide,
             const char* what = "Show more columns, and cut nothing");

// Of output that is in lines, not in columns.
inline constexpr char kCutsNoLine[] = "Cut nothing, however wide the lines are";

}  // namespace kvmsentry
