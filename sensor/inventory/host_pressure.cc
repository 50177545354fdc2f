#include "sensor/inventory/host_pressure.h"

#include <utility>

#include <fcntl.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "sensor/inventory/files.h"

namespace kvmsentry {
namespace {

constexpr size_t kMaxPressureFile = 4096;

// Of a line "some avg10=1.23 avg60=...", if it begins with WORD.
std::optional<double> Average(absl::string_view content, absl::string_view word) {
  for (absl::string_view line : absl::StrSplit(content, '\n')) {
    double percent = 0;
    if (!absl::ConsumePrefix(&line, word) || !absl::ConsumePrefix(&line, " avg10=")) continue;
    if (absl::SimpleAtod(line.substr(0, line.find(' ')), &percent)) return percent;
  }
  return std::nullopt;
}

}  // namespace

std::vector<HostPressure> ReadHostPressure(const std::string& proc) {
  std::vector<HostPressure> all;
  for (const char* of : {"cpu", "memory", "io"}) {
    const auto content =
        ReadFileAt(AT_FDCWD, absl::StrCat(proc, "/pressure/", of), kMaxPressureFile);
    if (!content.ok()) continue;
    const std::optional<double> some = Average(*content, "some");
    if (some) all.push_back({of, *some, Average(*content, "full")});
  }
  return all;
}

}  // namespace kvmsentry
