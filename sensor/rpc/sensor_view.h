// What the Sensor service tells, as plain values; the daemon gives them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "sensor/alert/journal.h"
#include "sensor/feature/feature.h"
#include "sensor/feature/lack.h"
#include "sensor/feature/member.h"
#include "sensor/feature/method.h"
#include "sensor/feature/vm.h"
#include "sensor/given/given_book.h"
#include "sensor/inventory/device.h"
#include "sensor/source/kvm/exits.h"
#include "sensor/spec/layers.h"
#include "sensor/spec/spec.h"

namespace kvmsentry {

// A hook into the kernel and the variant by which it is attached.
struct HookView {
  std::string name;
  Coverage coverage = Coverage::kUnknown;
  std::string variant;   // "tp_btf", ...; empty where none could be attached
  std::string reason;    // why not active; empty else
  std::string provides;  // what is lost without it, in words
  Lack lack = Lack::kNone;
  std::optional<double> cost_percent = {};  // of all processors' time, while last measured
  std::optional<double> ns_per_run = {};    // if it ran then
};

// A reason by which something can be lost.
struct LossView {
  std::string reason;    // "ring_full"
  std::string meaning;   // what was lost by it, in words
  uint64_t count = 0;    // since the maps were made
  bool matters = false;  // counts are too low by it, or records or alerts are missing
  uint64_t recent = 0;   // of these, in this run, in the last 10 to 20 minutes
};

// What the sensor finds wrong with itself.
struct FaultView {
  std::string id;  // of its alert: "self-ring"
  Severity severity = Severity::kNone;
  std::string text;
};

// How a spec fares.
struct SpecState {
  std::string id;
  Coverage coverage = Coverage::kUnknown;
  std::string reason;  // why not active; empty else
  Point point = Point::kNone;
};

struct SpecView {
  std::string id;
  Point point = Point::kNone;
  std::string feature;
  Severity severity = Severity::kNone;
  std::string norm_text;
  std::string selector_text;
  std::string whole_norm_text;  // where the two above are bounded
  std::string whole_selector_text;
  Coverage coverage = Coverage::kUnknown;
  std::string reason;       // why not active; empty else
  std::string occurrences;  // what the feature counts or collects
  std::vector<std::string> hooks;
  int32_t weight = 0;
  std::string why;
  std::string look_at;
  std::vector<std::string> tags = {};
  std::vector<std::string> mitre = {};
  bool observe_only = false;
  Origin origin = {};
  Selector select = {};
  std::vector<Selector> except = {};
};

// The spec library that is loaded.
struct LibraryView {
  std::string sha256;  // in hexadecimal digits
  absl::Time loaded_at;
  uint64_t shipped = 0;     // specs of the shipped layer ...
  uint64_t site = 0;        // ... of the site's ...
  uint64_t overridden = 0;  // ... and of both, those that the site's layer overrides
  std::vector<DisabledSpec> disabled = {};
  std::string refused = {};  // why the latest reload was; empty: it was not
  absl::Time refused_at = {};
};

struct VmView {
  VmFacts vm;
  bool watched = false;
  std::string unwatched_reason;
  uint32_t vcpus = 0;
  int64_t score_millipoints = 0;
  uint32_t open_alerts = 0;
  absl::Time first_seen;
  bool seen_from_birth = false;
  std::map<std::string, uint64_t> counts;    // by feature, only of active hooks
  std::map<std::string, double> levels;      // see VmDetails::levels
  std::map<std::string, double> rates = {};  // per second, of counts that rise
  DeviceList devices;
  std::shared_ptr<const GivenRecord> given = nullptr;  // nullptr: not read
  absl::Time given_changed_at = {};                    // as GivenRecord's
  uint64_t mapped = 0;                                 // see VmDetails
  std::vector<VcpuExits> exits;  // if asked for; of vCPUs that have left the guest
  bool exited = false;           // processes of it live on
};

// A member of a set that a VM was seen with.
struct MemberView {
  FeatureId feature = {};
  Member member = {};
  absl::Time first_seen = {};
  absl::Time last_seen = {};
  bool judged = false;                    // a spec on the feature selects the VM
  std::vector<std::string> outside = {};  // the specs by whose norm it is not normal
};

struct MembersView {
  VmFacts vm = {};
  std::vector<MemberView> members = {};  // by feature, in the order in which they were first seen
  std::map<FeatureId, uint64_t> left_out = {};  // sightings of members beyond those that are kept
};

// The server adds what it knows itself: the last alert, the subscribers, and the limits of both.
struct SensorStatus {
  HostFacts host;
  std::string version;
  std::string kernel_release;
  std::string libbpf_version;
  absl::Time started_at;
  absl::Duration unobserved;  // zero where the maps are new
  std::vector<HookView> hooks;
  std::vector<SpecState> specs;  // in the order of their ids
  std::vector<LossView> losses;  // every reason there is, zeros included
  uint64_t vms_watched = 0;
  uint64_t vms_unwatched = 0;
  std::optional<uint64_t> vms_hidden;  // that KVM counts and nothing finds; if KVM has told a count
  std::string pins_recreated_because;  // why maps of an earlier run were removed; empty: none were
  std::optional<double> cost_percent;  // of all hooks together, once measured
  std::string cost_unknown;            // why it cannot be measured here; empty else
  double cost_budget_percent = 0;      // 0: no limit
  std::vector<FaultView> faults;
  uint32_t max_vms = 0;
  uint32_t max_vcpus = 0;
  uint64_t ring_bytes = 0;
  LibraryView library = {};
};

// Called from several threads at once; must return soon, for a thread of the server waits.
class SensorView {
 public:
  virtual ~SensorView() = default;
  virtual SensorStatus Status() const = 0;
  // Watched and unwatched, in any order; of those without a slot, some may be left out.
  virtual std::vector<VmView> Vms(bool with_exits) const = 0;
  virtual std::vector<SpecView> Specs() const = 0;  // in the order of their ids
  // Of a VM that is watched; nullopt of any other. Judged by the loaded specs.
  virtual std::optional<MembersView> Members(VmId vm) const = 0;
};

}  // namespace kvmsentry
