// Lists of variants that hooks of several sources have, in order of cost.
#pragma once

#include <array>

#include "sensor/probe/hooks.h"

namespace kvmsentry {

inline constexpr std::array kTracepoint = {Variant::kTpBtf, Variant::kRawTp};
inline constexpr std::array kFunctionEntry = {Variant::kFentry, Variant::kKprobe};
// Without probes on functions, at every system call: dear, but seen at all.
inline constexpr std::array kIoctlEntry = {Variant::kFentry, Variant::kKprobe, Variant::kSysEnter};
inline constexpr std::array kIoctlExit = {Variant::kFexit, Variant::kKretprobe, Variant::kSysExit};

// What these last two do not see at a system call.
inline constexpr char kDescriptors[] =
    "at every system call: a VMM that changes its descriptors meanwhile goes uncounted";

// One that tells only how much there is of something, while others tell that it happens: a host
// that its programs cost too much can do without it for a while.
constexpr Hook Optional(Hook hook) {
  hook.optional = true;
  return hook;
}

// One that the canary VM makes fire on every back end that raises it.
constexpr Hook Proven(Hook hook) {
  hook.proven_by_canary = true;
  return hook;
}

}  // namespace kvmsentry
