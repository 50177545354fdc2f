#include "sensor/probe/strays.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "sensor/probe/iterator.h"
#include "stray.skel.h"

namespace kvmsentry {
namespace {

constexpr char kProgram[] = "walk_strays";

}  // namespace

Strays::Strays(BpfObject object, LoadedLink walk)
    : object_(std::move(object)), walk_(std::move(walk)) {}

absl::StatusOr<Strays> Strays::Make(const MapPlan& plan) {
  KVMSENTRY_ASSIGN_OR_RETURN(BpfObject object,
                             BpfObject::Open("stray", BytesOf(stray_bpf__elf_bytes), plan));
  KVMSENTRY_RETURN_IF_ERROR(object.Load({kProgram}));
  KVMSENTRY_RETURN_IF_ERROR(object.Attach(kProgram));
  KVMSENTRY_ASSIGN_OR_RETURN(LoadedLink walk, object.HandOverLink(kProgram));
  return Strays(std::move(object), std::move(walk));
}

absl::StatusOr<std::set<uint32_t>> Strays::Walk() const {
  std::set<uint32_t> strays;
  KVMSENTRY_RETURN_IF_ERROR(ReadIterator<uint32_t>(
      walk_.fd.get(), [&strays](uint32_t program) { strays.insert(program); }));
  return strays;
}

absl::Status Strays::FindNone(const BpfObject& object, std::span<const std::string> programs) {
  KVMSENTRY_ASSIGN_OR_RETURN(const std::set<uint32_t> strays, Walk());
  absl::Status found;
  for (const std::string& program : programs) {
    KVMSENTRY_ASSIGN_OR_RETURN(const LoadedLink link, object.HandOverLink(program));
    const std::string function = program.substr(0, program.rfind('_'));
    if (strays.contains(link.program_id)) functions_.insert(function);
    if (!functions_.contains(function)) continue;
    found.Update(absl::FailedPreconditionError(
        absl::StrCat("this kernel attaches ", program, " and never runs it")));
  }
  return found;
}

}  // namespace kvmsentry
