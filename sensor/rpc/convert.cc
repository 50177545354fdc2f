#include "sensor/rpc/convert.h"

#include <algorithm>

#include "absl/strings/str_format.h"

#include "sensor/base/escape.h"
#include "sensor/rpc/convert_parts.h"
#include "sensor/source/kvm/members.h"
#include "sensor/spec/selection.h"

namespace kvmsentry {
namespace {

static_assert(static_cast<int>(Point::kK1) == v1::K1 && static_cast<int>(Point::kK7) == v1::K7 &&
              static_cast<int>(Point::kR1) == v1::R1 && static_cast<int>(Point::kR5) == v1::R5);
static_assert(static_cast<int>(Severity::kInfo) == v1::INFO &&
              static_cast<int>(Severity::kNotice) == v1::NOTICE &&
              static_cast<int>(Severity::kWarning) == v1::WARNING &&
              static_cast<int>(Severity::kCritical) == v1::CRITICAL);
static_assert(static_cast<int>(Coverage::kActive) == v1::ACTIVE &&
              static_cast<int>(Coverage::kDegraded) == v1::DEGRADED &&
              static_cast<int>(Coverage::kUnobservable) == v1::UNOBSERVABLE &&
              static_cast<int>(Coverage::kAttached) == v1::ATTACHED);
static_assert(static_cast<int>(Lack::kNotApplicable) == v1::HookStatus::NOT_APPLICABLE &&
              static_cast<int>(Lack::kModuleMissing) == v1::HookStatus::MODULE_MISSING &&
              static_cast<int>(Lack::kSwitchedOff) == v1::HookStatus::SWITCHED_OFF &&
              static_cast<int>(Lack::kFailed) == v1::HookStatus::FAILED);
static_assert(static_cast<int>(AlertState::kOpen) == v1::Alert::OPEN &&
              static_cast<int>(AlertState::kUpdated) == v1::Alert::UPDATED &&
              static_cast<int>(AlertState::kCleared) == v1::Alert::CLEARED);
static_assert(static_cast<int>(GapReason::kEpochChanged) == v1::Gap::EPOCH_CHANGED &&
              static_cast<int>(GapReason::kNoLongerKept) == v1::Gap::NO_LONGER_KEPT &&
              static_cast<int>(GapReason::kSlowSubscriber) == v1::Gap::SLOW_SUBSCRIBER &&
              static_cast<int>(GapReason::kNotYetWritten) == v1::Gap::NOT_YET_WRITTEN);

static_assert(static_cast<int>(DeviceKind::kTap) == v1::Device::TAP &&
              static_cast<int>(DeviceKind::kVhostNet) == v1::Device::VHOST_NET &&
              static_cast<int>(DeviceKind::kVhostVsock) == v1::Device::VHOST_VSOCK &&
              static_cast<int>(DeviceKind::kVhostScsi) == v1::Device::VHOST_SCSI &&
              static_cast<int>(DeviceKind::kDisk) == v1::Device::DISK &&
              static_cast<int>(DeviceKind::kMemory) == v1::Device::MEMORY);

static_assert(static_cast<int>(Selection::Verdict::kSelected) == v1::SpecSelection::SELECTED &&
              static_cast<int>(Selection::Verdict::kExcepted) == v1::SpecSelection::EXCEPTED &&
              static_cast<int>(Selection::Verdict::kNotSelected) ==
                  v1::SpecSelection::NOT_SELECTED);

constexpr double kMilli = 1000.0;

v1::Observed ObservedOf(const AlertEvent& event) {
  v1::Observed proto;
  proto.set_value(event.value);
  proto.set_limit(event.limit);
  proto.set_unit(EscapeAgain(event.unit));
  proto.set_value_text(EscapeAgain(event.value_text));
  proto.set_norm_text(EscapeAgain(event.norm_text));
  *proto.mutable_window() = ToProto(absl::Nanoseconds(event.window_ns));
  proto.set_occurrences(event.occurrences);
  return proto;
}

v1::Device DeviceOf(const Device& device) {
  v1::Device proto;
  proto.set_kind(Cast<v1::Device::Kind>(device.kind));
  proto.set_name(EscapeAgain(device.name));
  proto.set_pid(static_cast<uint32_t>(std::max(device.pid, 0)));
  proto.set_fd(device.fd);
  proto.set_files(device.files);
  proto.set_major(device.major);
  proto.set_minor(device.minor);
  proto.set_inode(device.inode);
  proto.set_block(device.block);
  proto.set_writable(device.writable);
  proto.set_shared_by_process(device.shared_by_process);
  return proto;
}

}  // namespace

v1::Host HostOf(const HostFacts& host) {
  v1::Host proto;
  proto.set_node(EscapeAgain(host.node));
  proto.set_machine_id(EscapeAgain(host.machine_id));
  proto.set_boot_id(EscapeAgain(host.boot_id));
  return proto;
}

google::protobuf::Timestamp ToProto(absl::Time time) {
  constexpr int64_t kYear1 = -62'135'596'800;
  constexpr int64_t kYear9999End = 253'402'300'799;
  time = std::clamp(time, absl::FromUnixSeconds(kYear1), absl::FromUnixSeconds(kYear9999End));
  const int64_t seconds = absl::ToUnixSeconds(time);
  google::protobuf::Timestamp proto;
  proto.set_seconds(seconds);
  proto.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return proto;
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  constexpr int64_t kLongest = 315'576'000'000;  // the most that a Duration may hold
  duration = std::clamp(duration, absl::ZeroDuration(), absl::Seconds(kLongest));
  const int64_t seconds = absl::ToInt64Seconds(duration);
  google::protobuf::Duration proto;
  proto.set_seconds(seconds);
  proto.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(duration - absl::Seconds(seconds))));
  return proto;
}

v1::Position ToProto(Position position) {
  v1::Position proto;
  proto.set_epoch(position.epoch);
  proto.set_sequence(position.sequence);
  return proto;
}

v1::VmRef ToProto(const VmFacts& vm) {
  v1::VmRef proto;
  proto.set_id(vm.id.serial);
  proto.set_name(EscapeAgain(vm.name));
  proto.set_uuid(EscapeAgain(vm.uuid));
  proto.set_pid(static_cast<uint32_t>(std::max(vm.pid, 0)));
  proto.set_vmm(EscapeAgain(vm.vmm));
  proto.set_cgroup(EscapeAgain(vm.cgroup));
  proto.set_given_name(EscapeAgain(vm.given_name));
  return proto;
}

v1::Alert ToProto(const JournaledAlert& alert) {
  const AlertEvent& event = alert.event;
  v1::Alert proto;
  *proto.mutable_position() = ToProto(alert.position);
  proto.set_key(EscapeAgain(event.key));
  proto.set_state(Cast<v1::Alert::State>(event.state));
  proto.set_severity(Cast<v1::Severity>(event.severity));
  proto.set_point(Cast<v1::Point>(event.point));
  proto.set_spec_id(EscapeAgain(event.spec_id));
  proto.set_feature(EscapeAgain(event.feature));
  *proto.mutable_host() = HostOf(alert.host);
  if (event.vm != VmFacts{}) *proto.mutable_vm() = ToProto(event.vm);
  *proto.mutable_at() = ToProto(alert.at);
  proto.set_kernel_time_ns(static_cast<uint64_t>(std::max<int64_t>(event.at.ns, 0)));
  *proto.mutable_opened_at() = ToProto(alert.opened_at);
  *proto.mutable_observed() = ObservedOf(event);
  proto.set_count(event.count);
  proto.set_vm_score(static_cast<double>(event.score_millipoints) / kMilli);
  proto.set_contribution(static_cast<double>(event.contribution_millipoints) / kMilli);
  proto.set_summary(EscapeAgain(event.summary));
  proto.set_why(EscapeAgain(event.why));
  proto.set_look_at(EscapeAgain(event.look_at));
  for (const auto& [name, value] : event.evidence) {
    (*proto.mutable_evidence())[EscapeAgain(name)] = EscapeAgain(value);
  }
  proto.set_observation_lost(event.observation_lost);
  proto.set_part(EscapeAgain(event.part));
  proto.set_observe_only(event.observe_only);
  for (const std::string& tag : event.tags) proto.add_tags(EscapeAgain(tag));
  for (const std::string& technique : event.mitre) proto.add_mitre(EscapeAgain(technique));
  proto.set_silenced_by(alert.silenced_by);
  return proto;
}

v1::Gap ToProto(const Gap& gap) {
  v1::Gap proto;
  *proto.mutable_from() = ToProto(gap.from);
  *proto.mutable_to() = ToProto(gap.to);
  proto.set_reason(Cast<v1::Gap::Reason>(gap.reason));
  return proto;
}

namespace {

std::string ExitName(uint32_t member) {
  const absl::string_view name = NameOfMember(kVmExit, member);
  return name.empty() ? absl::StrFormat("0x%x", member) : std::string(name);
}

void AddTo(const VcpuExits& exits, v1::Exits& proto) {
  for (const auto& [member, count] : exits.by_reason) {
    (*proto.mutable_by_reason())[ExitName(member)] += count;
  }
  for (size_t i = 0; i < exits.log2_ns.size(); ++i) {
    const auto bucket = static_cast<int>(i);
    if (bucket == proto.log2_ns_size()) proto.add_log2_ns(0);
    proto.set_log2_ns(bucket, proto.log2_ns(bucket) + exits.log2_ns[i]);
  }
}

v1::VcpuExits ToProto(const VcpuExits& exits) {
  v1::VcpuExits proto;
  proto.set_index(exits.index);
  AddTo(exits, *proto.mutable_exits());
  if (!exits.sample) return proto;
  proto.set_sampled_reason(ExitName(exits.sample->reason));
  if (exits.sample->rip) proto.set_rip(*exits.sample->rip);
  if (exits.sample->cr3) proto.set_cr3(*exits.sample->cr3);
  if (exits.sample->cpl) proto.set_cpl(*exits.sample->cpl);
  return proto;
}

}  // namespace

v1::VmStatus ToProto(const VmView& vm, bool vcpu_exits) {
  v1::VmStatus proto;
  *proto.mutable_vm() = ToProto(vm.vm);
  proto.set_watched(vm.watched);
  proto.set_unwatched_reason(EscapeAgain(vm.unwatched_reason));
  proto.set_vcpus(vm.vcpus);
  proto.set_score(static_cast<double>(vm.score_millipoints) / kMilli);
  proto.set_open_alerts(vm.open_alerts);
  *proto.mutable_first_seen() = ToProto(vm.first_seen);
  proto.set_seen_from_birth(vm.seen_from_birth);
  proto.set_exited(vm.exited);
  for (const auto& [feature, count] : vm.counts) {
    (*proto.mutable_counts())[EscapeAgain(feature)] = count;
  }
  for (const auto& [feature, level] : vm.levels) {
    (*proto.mutable_levels())[EscapeAgain(feature)] = level;
  }
  for (const auto& [feature, rate] : vm.rates) {
    (*proto.mutable_rates())[EscapeAgain(feature)] = rate;
  }
  for (const Device& device : vm.devices.devices) *proto.add_devices() = DeviceOf(device);
  proto.set_devices_left_out(vm.devices.left_out);
  for (const VcpuExits& exits : vm.exits) {
    AddTo(exits, *proto.mutable_exits());
    if (vcpu_exits) *proto.add_vcpu_exits() = ToProto(exits);
  }
  return proto;
}

}  // namespace kvmsentry
