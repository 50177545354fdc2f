#include "sensor/source/resource/group_files.h"

#include <algorithm>

#include <fcntl.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "sensor/inventory/files.h"

namespace kvmsentry {
namespace {

constexpr size_t kSmall = 4096;
constexpr size_t kLarge = 64 * 1024;

absl::StatusOr<std::string> ReadPath(const std::string& path, size_t most) {
  return ReadFileAt(AT_FDCWD, path, most);
}

}  // namespace

absl::string_view PressureName(Pressure of) {
  switch (of) {
    case Pressure::kCpu:
      return "cpu.pressure";
    case Pressure::kMemory:
      return "memory.pressure";
    case Pressure::kIo:
      return "io.pressure";
  }
  return "";
}

absl::StatusOr<Stalls> ParsePressure(absl::string_view content) {
  Stalls stalls;
  bool some = false;
  for (const absl::string_view line : absl::StrSplit(content, '\n')) {
    const size_t at = line.rfind("total=");
    uint64_t total = 0;
    if (at == absl::string_view::npos || !absl::SimpleAtoi(line.substr(at + 6), &total)) continue;
    if (absl::StartsWith(line, "some ")) {
      stalls.some_us = total;
      some = true;
    } else if (absl::StartsWith(line, "full ")) {
      stalls.full_us = total;
    }
  }
  if (!some) return absl::InvalidArgumentError("a file of pressure has no line `some ... total=`");
  return stalls;
}

Reclaim ParseReclaim(absl::string_view content) {
  Reclaim reclaim;
  for (const absl::string_view line : absl::StrSplit(content, '\n')) {
    const std::pair<absl::string_view, absl::string_view> field =
        absl::StrSplit(line, absl::MaxSplits(' ', 1));
    uint64_t value = 0;
    if (!absl::SimpleAtoi(field.second, &value)) continue;
    if (field.first == "pgsteal") reclaim.pages = value;
    if (absl::StartsWith(field.first, "workingset_refault_")) reclaim.refaults += value;
  }
  return reclaim;
}

std::string UnifiedPath(absl::string_view content) {
  for (const absl::string_view line : absl::StrSplit(content, '\n')) {
    if (absl::StartsWith(line, "0::")) return std::string(line.substr(3));
  }
  return "";
}

std::string CpuPath(absl::string_view content) {
  for (const absl::string_view line : absl::StrSplit(content, '\n')) {
    // "4:cpu,cpuacct:/machine"
    const std::vector<absl::string_view> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() < 3) continue;
    const std::vector<absl::string_view> controllers = absl::StrSplit(fields[1], ',');
    if (std::ranges::find(controllers, "cpu") != controllers.end()) return std::string(fields[2]);
  }
  return UnifiedPath(content);
}

std::string UnifiedMount(absl::string_view content) {
  for (const absl::string_view line : absl::StrSplit(content, '\n')) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ');
    if (fields.size() > 2 && fields[2] == "cgroup2") return std::string(fields[1]);
  }
  return "";
}

absl::StatusOr<GroupReader> GroupReader::Open(const std::string& proc) {
  GroupReader reader;
  reader.proc_ = proc;
  KVMSENTRY_ASSIGN_OR_RETURN(const std::string mounts,
                             ReadPath(absl::StrCat(proc, "/self/mounts"), kLarge));
  reader.mount_ = UnifiedMount(mounts);
  return reader;
}

absl::StatusOr<std::string> GroupReader::CpuGroup(int32_t pid) const {
  KVMSENTRY_ASSIGN_OR_RETURN(const std::string content,
                             ReadPath(absl::StrCat(proc_, "/", pid, "/cgroup"), kSmall));
  return CpuPath(content);
}

absl::StatusOr<GroupFiles> GroupReader::Read(int32_t pid) const {
  KVMSENTRY_ASSIGN_OR_RETURN(const std::string cgroup,
                             ReadPath(absl::StrCat(proc_, "/", pid, "/cgroup"), kSmall));
  GroupFiles files;
  files.path = UnifiedPath(cgroup);
  if (mount_.empty() || files.path.empty() || files.path == "/") {
    return absl::FailedPreconditionError(
        "its VMM is in no cgroup of its own in the unified hierarchy");
  }
  const std::string folder = absl::StrCat(mount_, files.path);
  for (const Pressure of : kPressures) {
    const auto content = ReadPath(absl::StrCat(folder, "/", PressureName(of)), kSmall);
    if (!content.ok()) continue;
    if (const auto stalls = ParsePressure(*content); stalls.ok()) {
      files.stalls[static_cast<size_t>(of)] = *stalls;
    }
  }
  const auto memory = ReadPath(absl::StrCat(folder, "/memory.stat"), kLarge);
  if (memory.ok()) files.reclaim = ParseReclaim(*memory);
  return files;
}

}  // namespace kvmsentry
