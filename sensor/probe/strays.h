// Programs on functions that the kernel attached without an error, and never runs
// (bpf/stray.bpf.c).
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>

#include "sensor/base/status.h"
#include "sensor/probe/bpf_object.h"
#include "sensor/probe/loaded_object.h"
#include "sensor/probe/map_plan.h"

namespace kvmsentry {

// Not thread safe.
class Strays {
 public:
  // Fails where the kernel cannot be asked: before Linux 5.19.
  static absl::StatusOr<Strays> Make(const MapPlan& plan);

  // FAILED_PRECONDITION, naming it, where one of PROGRAMS, attached by OBJECT, is a stray.
  absl::Status FindNone(const BpfObject& object, std::span<const std::string> programs);

 private:
  Strays(BpfObject object, LoadedLink walk);
  // The kernel's numbers of all strays, anybody's.
  absl::StatusOr<std::set<uint32_t>> Walk() const;

  BpfObject object_;
  LoadedLink walk_;
  // That had one: a kprobe on such a function hides the next.
  std::set<std::string> functions_;
};

}  // namespace kvmsentry
