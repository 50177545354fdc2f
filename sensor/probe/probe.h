// What is attached of the hooks, what it has seen, and what could not be attached.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bpf/kvm/walks.h"
#include "sensor/base/status.h"
#include "sensor/probe/hooks.h"
#include "sensor/probe/iterator.h"
#include "sensor/probe/loaded_object.h"
#include "sensor/probe/loader.h"
#include "sensor/probe/pins.h"
#include "sensor/probe/sight.h"

struct ring_buffer;

namespace kvmsentry {

struct HookRuns {
  const Hook* hook = nullptr;
  bool optional = false;  // see Hook
  uint64_t runs = 0;
  uint64_t ns = 0;  // of all CPUs
};

// Programs are detached on destruction; pinned maps stay once KeepPins() was called, and else those
// of an earlier run do. Not thread safe.
class Probe {
 public:
  // Fails only where nothing can work: no BTF, no bpffs, no right to load BPF, no map memory, or a
  // kernel on which no hook on KVM can be attached although KVM is there. Any other hook that
  // cannot be attached is not a failure but shows in coverage().
  //
  // LOADER, of the same options and sources, makes the maps of SOURCES first; READY is asked to
  // open them before the first program is attached, which needs free slots. SOURCES outlive the
  // probe.
  using Ready = std::function<absl::Status(const Probe&)>;
  static absl::StatusOr<std::unique_ptr<Probe>> Load(const ProbeOptions& options,
                                                     std::vector<const BpfSource*> sources,
                                                     std::unique_ptr<Loader> loader,
                                                     const Ready& ready);
  ~Probe();

  // What uses the probe has started, too: a start that failed would leave no pins of its own.
  void KeepPins() { keep_pins_ = true; }

  const std::vector<HookCoverage>& coverage() const { return coverage_; }
  // How much of KVM is seen, whatever was shed or switched off; enough, as long as there is no KVM.
  Sight sight() const;
  // Hooks that are attached become ACTIVE once all their functions were seen, those apart that a
  // kernel may be built without. Returns of how many hooks something new was seen; cheap enough for
  // every tick.
  size_t NoteFired();
  // The canary VM ran to its end: what it makes fire and did not is UNOBSERVABLE, until it does.
  void JudgeByCanary();
  // The sources of hooks that are not attached: modules of KVM, vhost or VFIO may be loaded later.
  std::vector<std::string> SourcesWithMissing() const;
  // Tries those hooks of SOURCE again, which takes as long as loading it would have at the start.
  // Returns how many were attached.
  absl::StatusOr<size_t> AttachMissing(absl::string_view source);
  // Runs of attached programs that the kernel left out because the program was running on that CPU
  // already: occurrences that were not counted. ANYBODYS are of programs that run for every process
  // of the host, most of which have no VM.
  struct Skipped {
    uint64_t vms = 0;
    uint64_t anybodys = 0;
  };
  Skipped SkippedRuns() const;

  // Times that the kernel left a kprobe or kretprobe out, because it was inside another one, or had
  // no instance left: occurrences that were not counted. 0 where it does not tell (before
  // Linux 6.7).
  uint64_t MissedProbes() const;

  // What the programs of each attached hook took since they were loaded, while run times were
  // counted.
  std::vector<HookRuns> Runs() const;
  // The kernel counts run times as long as this is open (bpf(2), BPF_ENABLE_STATS).
  absl::StatusOr<Fd> CountRunTimes() { return loader_->CountRunTimes(); }
  // Detaches what HOOK has attached, and attaches it again. In between it is UNOBSERVABLE, by
  // REASON.
  absl::Status Shed(const Hook& hook, absl::string_view reason);
  absl::Status Restore(const Hook& hook);

  Pins pins() const { return folder_.pins; }
  // What was removed of an earlier run's maps, and why.
  const std::vector<std::string>& recreated() const { return folder_.recreated; }
  const MapSizes& sizes() const { return plan_.sizes(); }
  const MapPlan& plan() const { return plan_; }

  // The descriptor of a program that is run or attached by its source (Variant::kOnDemand);
  // negative where it is not loaded. Owned by the probe.
  int ProgramFd(const std::string& program) const;

  // The descriptor of a map of any source; negative where there is none. Owned by the probe.
  int MapFd(const std::string& name) const;

  // Becomes readable when a record waits. Owned by the probe.
  int ring_fd() const;
  // Hands every waiting record to VISIT.
  void DrainRing(const std::function<void(std::span<const std::byte>)>& visit);

  // Has a canary with NUMBER sent through the ring. RESOURCE_EXHAUSTED where the ring is full.
  absl::Status SendCanary(uint64_t number) const;

  // Whether each program still is where it was attached. Names one that is not.
  absl::Status AuditLinks() const;
  // Whether who attaches programs can still be asked.
  absl::Status AuditLoader() const { return loader_->Audit(); }
  // Whether the pins still are the maps in use.
  absl::Status AuditPins() const;

  // Whether the two walks below work here.
  bool walks_files() const { return file_walk_ >= 0; }
  bool walks_devices() const { return device_walk_ >= 0; }

  // One walk over all open files. Registers what it meets; returns what it met.
  absl::StatusOr<std::vector<ks_open_file>> WalkOpenFiles() const;

  // The files of process PID that may be devices, and those of its VMs. None, and no error, where
  // there is no such process.
  absl::Status WalkDevices(int32_t pid,
                           const std::function<void(const ks_open_device&)>& visit) const;

 private:
  struct RingDeleter {
    void operator()(ring_buffer* ring) const;
  };

  Probe() = default;
  absl::Status LoadAll(const Ready& ready);
  // Attaches HOOKS, and covers them.
  absl::Status Attach(std::span<const Hook* const> hooks);
  struct Fired {
    size_t programs = 0;                          // that have fired
    size_t needed = 0;                            // of the hook's programs, see IsNeeded()
    std::vector<absl::string_view> not_yet = {};  // of these, that have not
  };
  Fired FiredOf(const HookCoverage& coverage);
  void Cover(HookCoverage coverage);
  bool IsMissing(const HookCoverage& coverage) const;
  HookCoverage& CoverageOf(const Hook& hook);
  absl::Status Reattach(const Hook& hook, const std::string& program);
  absl::Status Detach(const Hook& hook, const std::vector<std::string>& programs);
  // Negative where PROGRAM is not loaded for HOOK.
  int ProgramFd(const Hook& hook, absl::string_view program) const;
  // The object in which PROGRAM was loaded for HOOK: two sources may hook the same function.
  LoadedObject* HolderOf(const Hook& hook, absl::string_view program);
  const LoadedObject* HolderOf(const Hook& hook, absl::string_view program) const;

  ProbeOptions options_;
  MapPlan plan_;
  PinFolder folder_;
  bool keep_pins_ = false;
  std::unique_ptr<Loader> loader_;
  std::vector<LoadedObject> maps_;  // of each source, without programs
  std::vector<LoadedObject> objects_;
  LoadedObject self_;
  std::vector<HookCoverage> coverage_;
  std::map<const Hook*, HookCoverage> shed_;  // as they were before
  std::unique_ptr<ring_buffer, RingDeleter> ring_;
  std::function<void(std::span<const std::byte>)> visit_;
  int file_walk_ = -1;    // the descriptor of the walk's link, owned by its object; -1 without
  int device_walk_ = -1;  // of the program, owned by its object; -1 without
};

}  // namespace kvmsentry
