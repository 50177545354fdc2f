// Which programs of a loaded object have run: each notes its first run (bpf/common.bpf.h,
// KS_FIRED).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"

#include "sensor/base/status.h"
#include "sensor/probe/mapped_rows.h"

struct bpf_object;

namespace kvmsentry {

// Move-only. May be read while the programs run; outlives the object.
class FiredPrograms {
 public:
  FiredPrograms() = default;
  // Of OBJECT, which is loaded. Fails where its bytes cannot be mapped or found by name.
  static absl::StatusOr<FiredPrograms> Map(const bpf_object& object);

  // Whether PROGRAM has run since its object was loaded; false for a name that notes nothing.
  bool HasFired(absl::string_view program) const;

 private:
  MappedRows<const uint8_t> bytes_;
  std::map<std::string, size_t, std::less<>> offsets_;  // by program
};

}  // namespace kvmsentry
