// Why a hook is not all that it should be: what to make of it, while a reason in words says what it
// is.
#pragma once

#include <cstdint>

namespace kvmsentry {

// The values are those of the public enum (proto/kvmsentry/v1/sensor.proto).
enum class Lack : uint8_t {
  kNone = 0,
  kNotApplicable,  // nothing on this host raises it, so nothing is missed
  kModuleMissing,  // its module is not loaded: the hook is attached once it is
  kSwitchedOff,    // by --without-hook
  kFailed,         // something happens here that is not seen
};

}  // namespace kvmsentry
