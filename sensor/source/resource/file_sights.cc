#include "sensor/source/resource/file_sights.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "sensor/base/escape.h"

namespace kvmsentry {
namespace {

constexpr absl::string_view kReclaim = "memory.stat";

// Of the files that SEEN says were read.
template <typename Seen>
FileSight SightOf(absl::string_view hook, const Seen& seen, const Survey::Report& report,
                  const std::map<VmId, std::string>& names) {
  FileSight sight;
  sight.hook = hook;
  const auto lacks = [&](VmId vm, absl::string_view why) {
    const auto name = names.find(vm);
    const std::string whose = name == names.end() ? "?" : Escape(name->second);
    sight.lacks = absl::StrCat("VM ", whose, ": ", why);
  };
  if (!report.unread.empty()) lacks(report.unread.begin()->first, report.unread.begin()->second);
  for (const auto& [vm, group] : report.groups) {
    const bool read = seen(group.files);
    sight.of_some |= read;
    if (!read && sight.lacks.empty()) lacks(vm, "its cgroup has no such file");
  }
  return sight;
}

}  // namespace

std::vector<FileSight> FileSightsOf(const Survey::Report& report,
                                    const std::map<VmId, std::string>& names) {
  std::vector<FileSight> sights;
  if (report.groups.empty() && report.unread.empty()) return sights;
  for (const Pressure of : kPressures) {
    const auto seen = [of](const GroupFiles& files) {
      return files.stalls[static_cast<size_t>(of)].has_value();
    };
    sights.push_back(SightOf(PressureName(of), seen, report, names));
  }
  const auto seen = [](const GroupFiles& files) { return files.reclaim.has_value(); };
  sights.push_back(SightOf(kReclaim, seen, report, names));
  return sights;
}

}  // namespace kvmsentry
