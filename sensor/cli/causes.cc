#include "sensor/cli/causes.h"

#include <algorithm>
#include <functional>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

#include "sensor/cli/words.h"

namespace kvmsentry {
namespace {

struct Cause {
  std::string key;
  std::string text;
  v1::HookStatus::Lack lack = v1::HookStatus::LACK_UNSPECIFIED;
  v1::Coverage worst = v1::ACTIVE;
  std::vector<std::string> hooks = {};
  std::set<std::string> modules = {};
  uint64_t specs = 0;
  std::set<v1::Point> points = {};
};

// Nothing is missed that happens here, or somebody wants it so.
bool IsExpected(const Cause& cause) {
  return cause.lack == v1::HookStatus::NOT_APPLICABLE ||
         cause.lack == v1::HookStatus::MODULE_MISSING || cause.lack == v1::HookStatus::SWITCHED_OFF;
}

// Of "module NAME not loaded, ...".
std::string ModuleOf(absl::string_view reason) {
  constexpr absl::string_view kModule = "module ";
  if (!absl::StartsWith(reason, kModule)) return "";
  reason.remove_prefix(kModule.size());
  return std::string(reason.substr(0, reason.find(' ')));
}

// Why a hook fails, without the variant that failed first: "fentry: programs on functions are ...".
absl::string_view WithoutVariant(absl::string_view reason) {
  const size_t colon = reason.find(": ");
  constexpr absl::string_view kVariants[] = {"tp_btf_cast", "tp_btf",   "raw_tp",    "tp",
                                             "fentry",      "fexit",    "kprobe",    "kretprobe",
                                             "sys_enter",   "sys_exit", "on_demand", "file"};
  if (std::ranges::find(kVariants, reason.substr(0, colon)) == std::end(kVariants)) return reason;
  return reason.substr(colon + 2);
}

// What hooks that fail alike have in common. Of one that was refused what else was tried, after a
// semicolon, is its own; of one that sees less what it misses, between a colon and a semicolon,
// behind which stands why its function is not probed.
std::string CommonOf(const v1::HookStatus& hook) {
  const absl::string_view reason = WithoutVariant(hook.reason());
  const size_t semicolon = reason.find("; ");
  if (hook.coverage() != v1::DEGRADED) return std::string(reason.substr(0, semicolon));
  std::string common(reason.substr(0, std::min(semicolon, reason.find(": "))));
  if (semicolon == absl::string_view::npos) return common;
  const absl::string_view why = WithoutVariant(reason.substr(semicolon + 2));
  return absl::StrCat(common, "; ", why.substr(0, why.find("; ")));
}

// Alike for hooks that fail alike: their reasons may name the hook.
std::string KeyOf(const v1::HookStatus& hook) {
  if (hook.lack() == v1::HookStatus::MODULE_MISSING) return "module";
  const std::string common = CommonOf(hook);
  return absl::StrCat(
      static_cast<int>(hook.lack()), " ", static_cast<int>(hook.coverage()), " ",
      hook.name().empty() ? common : absl::StrReplaceAll(common, {{hook.name(), "*"}}));
}

bool IsOf(const v1::SpecStatus& spec, const Cause& cause) {
  return std::ranges::any_of(cause.hooks, [&](const std::string& hook) {
    return absl::StrContains(spec.reason(), absl::StrCat(hook, ": "));
  });
}

std::vector<Cause> CausesOf(const v1::GetStatusResponse& status) {
  std::vector<Cause> causes;
  for (const v1::HookStatus& hook : status.hooks()) {
    if (Works(hook.coverage())) continue;
    const std::string key = KeyOf(hook);
    auto cause = std::ranges::find(causes, key, &Cause::key);
    if (cause == causes.end()) {
      causes.push_back(
          {.key = key, .text = std::string(WithoutVariant(hook.reason())), .lack = hook.lack()});
      cause = causes.end() - 1;
    } else if (hook.coverage() == v1::DEGRADED && cause->text != WithoutVariant(hook.reason())) {
      cause->text = CommonOf(hook);
    }
    cause->hooks.push_back(hook.name());
    cause->worst = std::max(cause->worst, hook.coverage());
    if (std::string module = ModuleOf(hook.reason()); !module.empty()) {
      cause->modules.insert(std::move(module));
    }
  }
  for (const v1::SpecStatus& spec : status.specs()) {
    if (Works(spec.coverage())) continue;
    for (Cause& cause : causes) {
      if (!IsOf(spec, cause)) continue;
      ++cause.specs;
      if (spec.point() != v1::POINT_UNSPECIFIED) cause.points.insert(spec.point());
    }
  }
  std::ranges::stable_sort(causes, std::greater(), &Cause::specs);
  return causes;
}

// "10 specs of K4 R5", "no spec".
std::string SpecsText(const Cause& cause) {
  if (cause.specs == 0) return "no spec";
  std::string text = Counted(cause.specs, "spec");
  for (const v1::Point point : cause.points) {
    absl::StrAppend(&text, point == *cause.points.begin() ? " of " : " ", v1::Point_Name(point));
  }
  return text;
}

std::string HooksText(const Cause& cause) {
  constexpr size_t kShown = 3;
  if (cause.hooks.size() <= kShown) return absl::StrJoin(cause.hooks, ", ");
  return absl::StrCat(cause.hooks.front(), " and ", cause.hooks.size() - 1, " more hooks");
}

std::string TextOf(const Cause& cause) {
  if (!cause.modules.empty()) {
    return absl::StrCat("not loaded: ", absl::StrJoin(cause.modules, ", "), ": ", SpecsText(cause));
  }
  const absl::string_view what = cause.specs == 0              ? "needed by no spec: "
                                 : cause.worst == v1::DEGRADED ? " seen in part: "
                                                               : " not seen: ";
  return absl::StrCat(cause.specs == 0 ? "" : SpecsText(cause), what, cause.text, " (",
                      HooksText(cause), ")");
}

}  // namespace

std::vector<Finding> FindCauses(const v1::GetStatusResponse& status) {
  std::vector<Finding> findings;
  for (const Cause& cause : CausesOf(status)) {
    const bool expected = IsExpected(cause) || cause.specs == 0;
    findings.push_back({expected ? Health::kOk : Health::kWarning, TextOf(cause)});
  }
  return findings;
}

}  // namespace kvmsentry
