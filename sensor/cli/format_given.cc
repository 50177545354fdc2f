#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

#include "sensor/base/thousands.h"
#include "sensor/cli/format.h"
#include "sensor/cli/table.h"
#include "sensor/cli/words.h"

namespace kvmsentry {
namespace {

// "512 MiB" of what is a whole number of a unit, else bytes.
std::string BytesText(uint64_t bytes) {
  constexpr const char* kUnits[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  constexpr uint64_t kStep = 1024;
  size_t unit = 0;
  while (bytes != 0 && bytes % kStep == 0 && unit + 1 < std::size(kUnits)) {
    bytes /= kStep;
    ++unit;
  }
  return absl::StrCat(WithThousands(bytes), " ", kUnits[unit]);
}

std::string ValueText(const v1::GivenFact& fact) {
  switch (fact.value_case()) {
    case v1::GivenFact::kText:
      return fact.text().empty() ? "none" : fact.text();
    case v1::GivenFact::kNumber:
      if (fact.name() == "pid" || fact.name() == "uid") return absl::StrCat(fact.number());
      return fact.bytes() ? BytesText(fact.number()) : WithThousands(fact.number());
    case v1::GivenFact::kFlag:
      return fact.flag() ? "yes" : "no";
    case v1::GivenFact::kList:
      return fact.list().texts().empty() ? "none" : absl::StrJoin(fact.list().texts(), ", ");
    case v1::GivenFact::VALUE_NOT_SET:
      break;
  }
  return "unknown";
}

// "COMMAND_LINE" as "command line".
std::string OriginWords(v1::GivenFact::Origin origin) {
  if (origin == v1::GivenFact::UNKNOWN) return "";
  std::string name = v1::GivenFact::Origin_Name(origin);
  if (name.empty()) return absl::StrCat("origin ", static_cast<int>(origin));  // a newer sensor's
  return absl::AsciiStrToLower(absl::StrReplaceAll(name, {{"_", " "}}));
}

std::string PartText(const v1::GivenPart& part) {
  return part.id().empty() ? part.kind() : absl::StrCat(part.kind(), " ", part.id());
}

std::string PageOf(const v1::VmStatus& vm, const Style& style, absl::TimeZone zone, size_t width) {
  std::string page = absl::StrCat(style(Paint::kBold, vm.vm().name()), "  ",
                                  style(Paint::kPlain, vm.vm().vmm()), ", pid ", vm.vm().pid());
  if (!vm.vm().uuid().empty())
    absl::StrAppend(&page, ", uuid ", style(Paint::kPlain, vm.vm().uuid()));
  page.push_back('\n');
  if (!vm.has_given()) {
    return absl::StrCat(page, vm.watched() ? "what it was given was not read yet\n"
                                           : "what it was given is not read: it is not watched\n");
  }
  Table table({{"PART"}, {"FACT"}, {"FROM"}, {"VALUE"}});
  for (const v1::GivenPart& part : vm.given().parts()) {
    // The part's name stands once, and what is known before what is not.
    std::string name = PartText(part);
    std::vector<std::string> unknown;
    for (const v1::GivenFact& fact : part.facts()) {
      if (fact.value_case() == v1::GivenFact::VALUE_NOT_SET) {
        unknown.push_back(fact.name());
        continue;
      }
      table.Add({{std::exchange(name, ""), Paint::kBold},
                 {fact.name()},
                 {OriginWords(fact.origin()), Paint::kDim},
                 {ValueText(fact)}});
    }
    if (unknown.empty()) continue;
    table.Add({{std::exchange(name, ""), Paint::kBold},
               {"unknown", Paint::kYellow},
               {""},
               {absl::StrJoin(unknown, ", ")}});
  }
  absl::StrAppend(&page, table.RenderWrapped(style, width));
  for (const std::string& gap : vm.given().gaps()) {
    absl::StrAppend(&page, "not known: ", style(Paint::kYellow, gap), "\n");
  }
  if (vm.given().has_changed_at()) {
    absl::StrAppend(&page, "changed at ",
                    absl::FormatTime("%Y-%m-%d %H:%M:%S", ToTime(vm.given().changed_at()), zone),
                    ": ", style(Paint::kPlain, absl::StrJoin(vm.given().changes(), "; ")), "\n");
  }
  return page;
}

}  // namespace

std::string FormatGiven(const v1::ListVmsResponse& response, const Style& style,
                        absl::TimeZone zone, size_t width) {
  if (response.vms().empty()) return "no VM of that name\n";
  std::vector<std::string> pages;
  for (const v1::VmStatus& vm : response.vms()) pages.push_back(PageOf(vm, style, zone, width));
  return absl::StrJoin(pages, "\n");
}

}  // namespace kvmsentry
