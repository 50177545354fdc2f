// A hook into the kernel: its variants in order of cost, and what is lost without it. Each source
// has its rows (sensor/source/<source>/hooks.cc).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/feature/lack.h"
#include "sensor/feature/method.h"

namespace kvmsentry {

// A way to attach a hook's handler.
enum class Variant : uint8_t {
  kTpBtfCast,  // tp_btf, with a kernel function that types addresses (Linux 6.2)
  kTpBtf,
  kRawTp,
  kTp,  // the classic tracepoint, whose record the kernel makes first
  kFentry,
  kFexit,
  kKprobe,
  kKretprobe,  // two programs: the function's arguments are known only at its beginning
  kSysEnter,   // the beginning of every system call: taxes every process of the host
  kSysExit,    // the end of every system call: the same
  kIterator,
  kProcessIterator,  // an iterator over one process (Linux 6.1)
  kOnDemand,         // run, or attached, by its source when that wants it
  kFile,             // no program: a file that the kernel offers
};

absl::string_view VariantName(Variant variant);  // "tp_btf"

struct Hook {
  absl::string_view name;  // of the tracepoint, function or iterator: "kvm_pio";
                           // "task_file_devices" is the iterator task_file again
  // The file bpf/<source>/<file>.bpf.c that has its programs; empty: it needs none.
  absl::string_view bpf;
  std::span<const Variant> variants;
  absl::string_view provides;  // what is lost without it, in words
  // Types of which the kernel must know one for the variants that read more than arguments; the
  // classic tracepoint does without. None: nothing is needed.
  std::span<const absl::string_view> types = {};
  absl::string_view module = {};  // of a function: where it is, unless it is built in
  // A function that newer kernels have in its place, or lead all its calls through: where there is
  // one, it is hooked instead.
  absl::string_view superseded_by = {};
  // Functions that are hooked with this one, in the same way: all or none.
  std::span<const absl::string_view> with = {};
  // The same of functions that a kernel may be built without.
  std::span<const absl::string_view> with_if_there = {};
  // Of a hook on a function: what its other variants, by tracepoints, do not see. The hook is then
  // DEGRADED, and its coverage adds why the function is not probed.
  absl::string_view weakness = {};
  // The module that alone raises the tracepoint; empty: all of KVM's back ends do.
  absl::string_view raised_by = {};
  // Left off where KVM's back end is software: there it is raised at every instruction, and its
  // mere presence slows guests down by half.
  bool hardware_only = false;
  // Of a hook that is but a file of the kernel's: its path, and how to get it where it is missing.
  // Without a path no kernel has such a file, and the remedy says what there is instead.
  absl::string_view file = {};
  absl::string_view remedy = {};
  // See Optional() in hook_variants.h.
  bool optional = false;
  // Whether the canary VM (sensor/probe/canary_vm.h) makes it fire on every back end that raises
  // it.
  bool proven_by_canary = false;
};

// Whether VARIANT of HOOK sees less than it should.
bool IsWeak(const Hook& hook, Variant variant);

// The names of the programs that implement VARIANT of HOOK, in the order of
// attaching; ABSENT are functions of with_if_there and superseded_by that there are not.
std::vector<std::string> ProgramNames(const Hook& hook, Variant variant,
                                      std::span<const absl::string_view> absent = {});

// Whether PROGRAM, one of HOOK's, must have fired before HOOK is known to work: all but those on
// with_if_there, which nobody may ever call, and the first of a kretprobe's two, which does not
// note it.
bool IsNeeded(const Hook& hook, absl::string_view program);

// How a hook fares on this host.
struct HookCoverage {
  const Hook* hook = nullptr;
  Coverage coverage = Coverage::kUnknown;
  std::string variant;                     // by which it is attached; empty where it is not
  std::string reason;                      // why not ACTIVE
  Lack lack = Lack::kNone;                 // what to make of that
  std::vector<std::string> programs = {};  // that are attached for it
  // Attached, but the canary VM ran and it did not fire: UNOBSERVABLE until it does.
  bool silent = false;
};

}  // namespace kvmsentry
