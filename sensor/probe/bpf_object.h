// RAII over a libbpf object: open from memory, choose programs, load, attach.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/base/status.h"
#include "sensor/probe/fired.h"
#include "sensor/probe/map_plan.h"

struct bpf_link;
struct bpf_map;
struct bpf_object;
struct bpf_program;

namespace kvmsentry {

// Detaches and closes on destruction; pinned maps stay. Move-only, not thread safe.
class BpfObject {
 public:
  // The object in BYTES, an ELF file, with its maps sized and to be shared through pins as PLAN
  // says, which outlives it, and with no program chosen yet. NAME is for messages.
  static absl::StatusOr<BpfObject> Open(absl::string_view name, std::span<const char> bytes,
                                        const MapPlan& plan);
  // The same of an object that PLAN knows by its name.
  static absl::StatusOr<BpfObject> Open(absl::string_view name, const MapPlan& plan);

  // Loads only the programs named. RESOURCE_EXHAUSTED where the kernel has no memory for a map.
  absl::Status Load(const std::vector<std::string>& programs);
  absl::Status Attach(const std::string& program);
  // PROGRAM, which is loaded, will be run or attached by somebody else.
  absl::Status Use(const std::string& program);
  // Ends what Attach() began; nothing where the program is not attached.
  void Detach(const std::string& program);

  const std::string& name() const { return name_; }
  // The descriptor of a map; negative where there is none. Owned by the object.
  int MapFd(const std::string& name) const;
  // The descriptors of the programs that were ever attached. Owned by the object.
  const std::vector<int>& UsedPrograms() const { return used_; }
  bpf_link* Link(const std::string& program) const;
  // Whether PROGRAM has run since it was loaded.
  bool HasFired(const std::string& program) const { return fired_.HasFired(program); }
  // See Probe::MissedProbes().
  uint64_t MissedProbes() const;
  // NOT_FOUND, naming it, where a program of those attached no longer is.
  absl::Status AuditLinks() const;
  // NOT_FOUND, naming it, where a pin is missing or is another map than the one in use.
  absl::Status AuditPins() const;
  // The descriptor of a program that is loaded. Owned by the object.
  int ProgramFd(const std::string& program) const;

 private:
  absl::Status MapRefused(const bpf_map& map, int error) const;
  absl::Status Freeze();
  // 0 where the link does not tell: one of perf events before Linux 5.15.
  static uint32_t ProgramIdOf(const bpf_link* link);

  struct Deleter {
    void operator()(bpf_object* object) const;
    void operator()(bpf_link* link) const;
  };

  std::string name_;
  const MapPlan* plan_ = nullptr;
  std::unique_ptr<bpf_object, Deleter> object_;
  struct Attached {
    std::string program;
    std::unique_ptr<bpf_link, Deleter> link;
    uint32_t program_id;
  };
  std::vector<Attached> links_;
  std::vector<int> used_;
  FiredPrograms fired_;
};

// The version of the libbpf in use: "1.1".
std::string LibbpfVersion();

// From now on what libbpf says goes into its log, no more to standard error.
void KeepLibbpfLog();

// What libbpf and the verifier said since the last call; for error messages.
std::string TakeLibbpfLog();

}  // namespace kvmsentry
