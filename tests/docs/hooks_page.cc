#include "tests/docs/hooks_page.h"

#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "sensor/source/registry.h"

namespace kvmsentry {
namespace {

constexpr char kHooksBegin[] =
    "# Hooks\n\n"
    "Every hook into the kernel, written by `build/release/tests/docs/write_docs` from the code: "
    "not by "
    "hand.\n\n"
    "A hook is attached by the first of its variants that the running kernel accepts; they stand "
    "in the order of their\n"
    "cost. Where the kernel preempts tasks amid programs (since Linux 7.0), hooks on KVM try their "
    "unpreempted variants\n"
    "first: tp, kprobe and kretprobe. `kvmsentry status --hooks` shows the variant in use, and for "
    "a hook that is not ACTIVE\n"
    "the reason. BTF is needed in any case. [kernels.md](kernels.md) shows which variant each "
    "tested kernel takes.\n\n"
    "*proven*: the canary VM makes the hook fire at the daemon's start. *optional*: the hook is "
    "shed "
    "for a while where the\n"
    "programs exceed their cost budget.\n\n"
    "| hook | variants | needs | lost without it | |\n"
    "| --- | --- | --- | --- | --- |\n";

std::string NeedsOf(const Hook& hook) {
  std::vector<std::string> needs;
  if (!hook.module.empty()) needs.push_back(absl::StrCat("`", hook.module, "`"));
  if (!hook.raised_by.empty()) {
    needs.push_back(absl::StrCat("`", hook.raised_by, "`, which alone raises it"));
  }
  if (hook.hardware_only) needs.push_back("a hardware back end of KVM");
  if (!hook.types.empty() && hook.module.empty()) {
    needs.push_back(absl::StrCat("the type `", absl::StrJoin(hook.types, "` or `"), "`"));
  }
  return absl::StrJoin(needs, "; ");
}

std::string FunctionsOf(const Hook& hook) {
  std::string functions = absl::StrCat("`", hook.name, "`");
  for (const absl::string_view other : hook.with) absl::StrAppend(&functions, ", `", other, "`");
  for (const absl::string_view other : hook.with_if_there) {
    absl::StrAppend(&functions, ", `", other, "` where it exists");
  }
  if (!hook.superseded_by.empty()) {
    absl::StrAppend(&functions, "; on newer kernels `", hook.superseded_by, "`");
  }
  return functions;
}

std::string RemarksOf(const Hook& hook) {
  std::vector<absl::string_view> remarks;
  if (hook.proven_by_canary) remarks.push_back("proven");
  if (hook.optional) remarks.push_back("optional");
  return absl::StrJoin(remarks, ", ");
}

std::string VariantsOf(const Hook& hook, int weakness) {
  std::vector<std::string> variants;
  for (const Variant variant : hook.variants) {
    variants.push_back(absl::StrCat(VariantName(variant),
                                    IsWeak(hook, variant) ? absl::StrCat(" ^", weakness) : ""));
  }
  return absl::StrJoin(variants, ", ");
}

}  // namespace

std::string HooksPage() {
  std::string page = kHooksBegin;
  std::map<std::string, int> numbers;  // of weaknesses, in the order of their first hook
  std::vector<std::string> weaknesses;
  for (const Hook& hook : Hooks()) {
    int number = 0;
    if (!hook.weakness.empty()) {
      const auto [known, fresh] =
          numbers.try_emplace(std::string(hook.weakness), static_cast<int>(numbers.size()) + 1);
      if (fresh) weaknesses.push_back(known->first);
      number = known->second;
    }
    absl::StrAppend(&page, "| ", FunctionsOf(hook), " | ", VariantsOf(hook, number), " | ",
                    NeedsOf(hook), " | ", hook.provides, " | ", RemarksOf(hook), " |\n");
  }
  absl::StrAppend(&page,
                  "\nA hook that is attached by a variant with a mark, because the kernel does not "
                  "let the function "
                  "be probed, is DEGRADED:\n\n");
  for (size_t i = 0; i < weaknesses.size(); ++i) {
    absl::StrAppend(&page, "- ^", i + 1, " ", weaknesses[i], "\n");
  }
  return page;
}

}  // namespace kvmsentry
