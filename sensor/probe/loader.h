// Who loads programs, attaches them, and hands their descriptors over.
//
// Loading and attaching want CAP_SYS_ADMIN: for the types of modules, and to have run times
// counted. That is as good as root, so the daemon has another process do it (sensor/loader), by
// this interface. What can be asked for is fixed: hooks of the catalogue, by their place in it, and
// programs that were handed over.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "sensor/base/fd.h"
#include "sensor/base/status.h"
#include "sensor/probe/hooks.h"
#include "sensor/probe/loaded_object.h"
#include "sensor/probe/map_plan.h"
#include "sensor/probe/pins.h"

namespace kvmsentry {

struct ProbeOptions {
  std::string pin_root = kDefaultPinRoot;
  MapSizes sizes;
  // Hooks by name that may use only these variants, tests' business, or none at all.
  std::map<std::string, std::vector<Variant>> variants;
};

// Not thread safe. Its programs are detached when it and what it handed over are destroyed.
class Loader {
 public:
  struct Prepared {
    PinFolder folder;                // held
    std::vector<LoadedObject> maps;  // of each source, without programs
    LoadedObject self;               // the ring and its canary
  };
  struct Attached {
    std::vector<HookCoverage> coverage;  // of each hook asked for
    std::vector<LoadedObject> objects;   // with the programs that are attached for them
  };

  virtual ~Loader() = default;

  // The maps of all sources, made or an earlier run's. Once, before all else. Fails where nothing
  // can work: no BTF, no bpffs, no right to load BPF, no map memory.
  virtual absl::StatusOr<Prepared> Prepare() = 0;

  // Attaches each of HOOKS by the best variant that works; of those that lack something, coverage
  // says what. The hooks of one source stand together.
  virtual absl::StatusOr<Attached> Attach(std::span<const Hook* const> hooks) = 0;

  // Attaches a program again, of an object that was handed over. FAILED_PRECONDITION unless
  // Detach() detached it.
  virtual absl::StatusOr<LoadedLink> Reattach(uint32_t object, uint32_t program) = 0;
  virtual absl::Status Detach(uint32_t object, uint32_t program) = 0;

  // The kernel counts run times as long as this is open (bpf(2), BPF_ENABLE_STATS).
  virtual absl::StatusOr<Fd> CountRunTimes() = 0;

  // Whether the loader can still be asked.
  virtual absl::Status Audit() { return absl::OkStatus(); }
};

}  // namespace kvmsentry
