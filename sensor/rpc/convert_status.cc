// What a status tells, as protos.
#include "sensor/base/escape.h"
#include "sensor/rpc/convert.h"
#include "sensor/rpc/convert_parts.h"

namespace kvmsentry {
namespace {

v1::HookStatus HookOf(const HookView& hook) {
  v1::HookStatus proto;
  proto.set_name(EscapeAgain(hook.name));
  proto.set_coverage(Cast<v1::Coverage>(hook.coverage));
  proto.set_variant(EscapeAgain(hook.variant));
  proto.set_reason(EscapeAgain(hook.reason));
  proto.set_provides(EscapeAgain(hook.provides));
  if (hook.cost_percent) proto.set_cost_percent(*hook.cost_percent);
  if (hook.ns_per_run) proto.set_ns_per_run(*hook.ns_per_run);
  proto.set_lack(Cast<v1::HookStatus::Lack>(hook.lack));
  return proto;
}

v1::Loss LossOf(const LossView& loss) {
  v1::Loss proto;
  proto.set_reason(EscapeAgain(loss.reason));
  proto.set_meaning(EscapeAgain(loss.meaning));
  proto.set_count(loss.count);
  proto.set_recent(loss.recent);
  proto.set_matters(loss.matters);
  return proto;
}

}  // namespace

v1::HostPressure ToProto(const HostPressure& pressure) {
  v1::HostPressure proto;
  proto.set_of(pressure.of);
  proto.set_some_percent(pressure.some_percent);
  if (pressure.full_percent) proto.set_full_percent(*pressure.full_percent);
  return proto;
}

v1::Journal ToProto(const JournalState& state) {
  v1::Journal proto;
  proto.set_path(EscapeAgain(state.path));
  proto.set_problem(EscapeAgain(state.problem));
  proto.set_recreated_reason(EscapeAgain(state.recreated));
  proto.set_bytes(state.bytes);
  proto.set_max_bytes(state.max_bytes);
  proto.set_unwritten(state.unwritten);
  return proto;
}

v1::GetStatusResponse ToProto(const SensorStatus& status) {
  v1::GetStatusResponse proto;
  *proto.mutable_host() = HostOf(status.host);
  proto.set_version(EscapeAgain(status.version));
  proto.set_kernel_release(EscapeAgain(status.kernel_release));
  proto.set_libbpf_version(EscapeAgain(status.libbpf_version));
  *proto.mutable_started_at() = ToProto(status.started_at);
  *proto.mutable_unobserved() = ToProto(status.unobserved);
  for (const HookView& hook : status.hooks) *proto.add_hooks() = HookOf(hook);
  for (const SpecState& spec : status.specs) {
    v1::SpecStatus& out = *proto.add_specs();
    out.set_id(EscapeAgain(spec.id));
    out.set_coverage(Cast<v1::Coverage>(spec.coverage));
    out.set_reason(EscapeAgain(spec.reason));
    out.set_point(Cast<v1::Point>(spec.point));
  }
  for (const LossView& loss : status.losses) *proto.add_losses() = LossOf(loss);
  proto.mutable_limits()->set_max_vms(status.max_vms);
  proto.mutable_limits()->set_max_vcpus(status.max_vcpus);
  proto.mutable_limits()->set_ring_bytes(status.ring_bytes);
  proto.set_vms_watched(static_cast<uint32_t>(status.vms_watched));
  proto.set_vms_unwatched(static_cast<uint32_t>(status.vms_unwatched));
  if (status.vms_hidden) proto.set_vms_hidden(*status.vms_hidden);
  proto.set_pins_recreated(!status.pins_recreated_because.empty());
  proto.set_pins_recreated_reason(EscapeAgain(status.pins_recreated_because));
  if (status.cost_percent) proto.set_cost_percent(*status.cost_percent);
  proto.set_cost_unknown(EscapeAgain(status.cost_unknown));
  proto.set_cost_budget_percent(status.cost_budget_percent);
  if (!status.library.sha256.empty()) *proto.mutable_library() = ToProto(status.library);
  for (const FaultView& fault : status.faults) {
    v1::Fault& out = *proto.add_faults();
    out.set_id(EscapeAgain(fault.id));
    out.set_severity(Cast<v1::Severity>(fault.severity));
    out.set_text(EscapeAgain(fault.text));
  }
  return proto;
}

}  // namespace kvmsentry
