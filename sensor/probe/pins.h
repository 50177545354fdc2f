// The pinned maps below /sys/fs/bpf/kvmsentry: kept over a restart, recreated if their layout
// differs.
#pragma once

#include <string>
#include <vector>

#include "sensor/base/fd.h"
#include "sensor/base/status.h"
#include "sensor/probe/map_plan.h"

namespace kvmsentry {

inline constexpr char kDefaultPinRoot[] = "/sys/fs/bpf/kvmsentry";

enum class Pins {
  kNone,      // there were none: everything starts at zero
  kKept,      // maps of an earlier run, of this layout and size: counting goes on
  kRecreated  // maps were removed: those of some sources, or all, start at zero
};

// Holds PIN_ROOT for one process: two would count everything twice.
struct PinFolder {
  Pins pins = Pins::kNone;
  std::vector<std::string>
      recreated;      // what was removed, and why: "vhost: the pin queues is missing"
  bool made = false;  // the folder was not there before
  bool kept = false;  // maps of some source are an earlier run's
  Fd lock;
};

// Makes the pin root of PLAN ready for loading: each source's maps are kept if they are whole, and
// of its layout and size; what all share, and with it everything, if that is. Fails where its file
// system is no bpffs, saying how to mount one, or that it is mounted read-only, where another
// process holds it, and where it holds pins of others.
absl::StatusOr<PinFolder> PreparePins(const MapPlan& plan);

// Removes all pins in PIN_ROOT, and itself if it was made, so that nothing stays of a start that
// failed. Does nothing where FOLDER is not held, for then they are another's, nor where they are
// those of an earlier run.
void DiscardNewPins(const PinFolder& folder, const std::string& pin_root);

// Removes all pins and PIN_ROOT itself; OK where there are none. Fails while a process holds it,
// and where its file system is no bpffs or it holds pins of others.
absl::Status Unpin(const std::string& pin_root);

}  // namespace kvmsentry
