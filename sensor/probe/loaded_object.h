// What user space holds of a BPF object that was loaded: descriptors, and no more of libbpf. So
// whoever loads programs and whoever uses them need not be one process (sensor/probe/loader.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/base/fd.h"
#include "sensor/base/status.h"
#include "sensor/probe/mapped_rows.h"

namespace kvmsentry {

struct LoadedProgram {
  std::string name;
  Fd fd;
  // Where in the object's bytes it notes its first run (bpf/common.bpf.h, KS_FIRED); none: nowhere.
  std::optional<uint32_t> fired_at = {};
};

struct LoadedMap {
  std::string name;
  std::string pin;  // its path; empty: it has none
  Fd fd;
};

// Where a program is attached. Closing the descriptor detaches only once its loader has detached,
// too.
struct LoadedLink {
  std::string program;
  Fd fd;
  uint32_t program_id =
      0;  // 0: the link does not report it, as one of perf events before Linux 5.15
};

// Move-only. Its programs may run meanwhile; else not thread safe.
class LoadedObject {
 public:
  struct Parts {
    std::string name;
    uint32_t number = 0;  // by which its loader knows it
    std::vector<LoadedProgram> programs;
    std::vector<LoadedMap> maps;
    std::vector<LoadedLink> links;
    Fd fired;  // the map with the bytes of first runs; none: no program notes them
    uint32_t fired_bytes = 0;
  };

  LoadedObject() = default;
  // Maps the bytes of first runs; fails where that is refused.
  static absl::StatusOr<LoadedObject> Make(Parts parts);

  const Parts& parts() const { return parts_; }
  const std::string& name() const { return parts_.name; }
  uint32_t number() const { return parts_.number; }

  // Descriptors, owned by the object; negative where there is none of that name.
  int MapFd(absl::string_view map) const;
  int ProgramFd(absl::string_view program) const;
  int LinkFd(absl::string_view program) const;
  // Among its programs; none for an unknown name.
  std::optional<uint32_t> IndexOf(absl::string_view program) const;

  void AddLink(LoadedLink link);
  // Closes what is held of PROGRAM's link.
  void DropLink(absl::string_view program);

  // Whether PROGRAM has run since it was loaded; false for one that notes nothing.
  bool HasFired(absl::string_view program) const;
  // See Probe; by program.
  std::vector<std::pair<absl::string_view, uint64_t>> SkippedRuns() const;
  uint64_t MissedProbes() const;
  // NOT_FOUND, naming it, where a program is no longer attached, or a pin is missing or is another
  // map's.
  absl::Status AuditLinks() const;
  absl::Status AuditPins() const;

 private:
  Parts parts_;
  MappedRows<const uint8_t> fired_;
};

// Of the link, 0 where it does not tell.
uint32_t ProgramIdOf(int link);

}  // namespace kvmsentry
