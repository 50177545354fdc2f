// The pinned maps below /sys/fs/bpf/kvmsentry: kept over a restart, recreated if their layout
// differs.
#pragma once

#include <string>

#include "sensor/base/fd.h"
#include "sensor/base/status.h"
#include "sensor/probe/bpf_object.h"

namespace kvmsentry {

inline constexpr char kDefaultPinRoot[] = "/sys/fs/bpf/kvmsentry";

enum class Pins {
  kNone,      // there were none: everything starts at zero
  kKept,      // maps of an earlier run, of this layout and size: counting goes on
  kRecreated  // maps that could not be gone on with were removed: everything starts at zero
};

// Holds PIN_ROOT for one process: two would count everything twice.
struct PinFolder {
  Pins pins = Pins::kNone;
  std::string recreated_because;  // of kRecreated: another layout, another size, missing pins
  bool made = false;              // the folder was not there before
  Fd lock;
};

// Makes PIN_ROOT ready for loading. Fails where its file system is no bpffs, saying how to mount
// one, or that it is mounted read-only, where another process holds it, and where it holds pins of
// others.
absl::StatusOr<PinFolder> PreparePins(const std::string& pin_root, const MapSizes& sizes);

// Removes all pins in PIN_ROOT, and itself if it was made, so that nothing stays of a start that
// failed. Does nothing where FOLDER is not held, for then they are another's, nor where they are
// those of an earlier run.
void DiscardNewPins(const PinFolder& folder, const std::string& pin_root);

// Removes all pins and PIN_ROOT itself; OK where there are none. Fails while a process holds it,
// and where its file system is no bpffs or it holds pins of others.
absl::Status Unpin(const std::string& pin_root);

}  // namespace kvmsentry
