// What the kernel's statistics say of BPF programs.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "sensor/base/fd.h"
#include "sensor/base/status.h"

namespace kvmsentry {

struct ProgramStats {
  uint64_t runs = 0;
  uint64_t ns = 0;
};

// Switches the statistics on for as long as it lives.
absl::StatusOr<Fd> EnableProgramStats();

// Of all loaded programs with one of these names (the kernel keeps the first 15 characters), by
// name.
std::map<std::string, ProgramStats> ReadProgramStats();

}  // namespace kvmsentry
