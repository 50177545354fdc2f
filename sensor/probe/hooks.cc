#include "sensor/probe/hooks.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace kvmsentry {

absl::string_view VariantName(Variant variant) {
  switch (variant) {
    case Variant::kTpBtfCast:
      return "tp_btf_cast";
    case Variant::kTpBtf:
      return "tp_btf";
    case Variant::kRawTp:
      return "raw_tp";
    case Variant::kTp:
      return "tp";
    case Variant::kFentry:
      return "fentry";
    case Variant::kFexit:
      return "fexit";
    case Variant::kKprobe:
      return "kprobe";
    case Variant::kKretprobe:
      return "kretprobe";
    case Variant::kSysEnter:
      return "sys_enter";
    case Variant::kSysExit:
      return "sys_exit";
    case Variant::kIterator:
      return "iter";
    case Variant::kProcessIterator:
      return "iter_process";
    case Variant::kOnDemand:
      return "on_demand";
    case Variant::kFile:
      return "file";
  }
  return "";
}

bool IsWeak(const Hook& hook, Variant variant) {
  if (hook.weakness.empty()) return false;
  return variant == Variant::kTpBtf || variant == Variant::kRawTp ||
         variant == Variant::kSysEnter || variant == Variant::kSysExit;
}

std::vector<std::string> ProgramNames(const Hook& hook, Variant variant,
                                      std::span<const absl::string_view> absent) {
  if (variant == Variant::kIterator) return {"walk_files"};
  if (variant == Variant::kProcessIterator) return {"walk_devices"};
  if (variant == Variant::kOnDemand) return {std::string(hook.name)};
  if (variant == Variant::kFile) return {};
  std::vector<std::string> names;
  const auto add = [&](absl::string_view function) {
    const std::string name = absl::StrCat(function, "_", VariantName(variant));
    names.push_back(name);
    if (variant == Variant::kKretprobe) names.push_back(absl::StrCat(name, "_entry"));
  };
  // One program at the system calls, or at a tracepoint, does for all.
  if (IsWeak(hook, variant)) {
    add(hook.name);
    return names;
  }
  const bool superseded =
      !hook.superseded_by.empty() && std::ranges::find(absent, hook.superseded_by) == absent.end();
  add(superseded ? hook.superseded_by : hook.name);
  for (const absl::string_view function : hook.with) add(function);
  for (const absl::string_view function : hook.with_if_there) {
    if (std::ranges::find(absent, function) == absent.end()) add(function);
  }
  return names;
}

bool IsNeeded(const Hook& hook, absl::string_view program) {
  if (absl::EndsWith(program, "_kretprobe_entry")) return false;
  return std::ranges::none_of(hook.with_if_there, [program](absl::string_view function) {
    return absl::StartsWith(program, absl::StrCat(function, "_"));
  });
}

}  // namespace kvmsentry
