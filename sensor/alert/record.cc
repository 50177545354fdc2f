#include "sensor/alert/record.h"

#include "record.pb.h"
#include "sensor/base/enum_within.h"

namespace kvmsentry {
namespace {

void EncodeEvent(const AlertEvent& event, journal::Record& record) {
  record.set_key(event.key);
  record.set_state(static_cast<uint32_t>(event.state));
  record.set_severity(static_cast<uint32_t>(event.severity));
  record.set_point(static_cast<uint32_t>(event.point));
  record.set_spec_id(event.spec_id);
  record.set_feature(event.feature);
  record.set_part(event.part);
  record.set_kernel_at_ns(event.at.ns);
  record.set_kernel_opened_at_ns(event.opened_at.ns);
  record.set_value(event.value);
  record.set_limit(event.limit);
  record.set_unit(event.unit);
  record.set_value_text(event.value_text);
  record.set_norm_text(event.norm_text);
  record.set_window_ns(event.window_ns);
  record.set_occurrences(event.occurrences);
  record.set_count(event.count);
  record.set_score_millipoints(event.score_millipoints);
  record.set_contribution_millipoints(event.contribution_millipoints);
  record.set_summary(event.summary);
  record.set_why(event.why);
  record.set_look_at(event.look_at);
  for (const auto& [name, value] : event.evidence) {
    journal::Evidence& evidence = *record.add_evidence();
    evidence.set_name(name);
    evidence.set_value(value);
  }
  record.set_observation_lost(event.observation_lost);
  record.set_observe_only(event.observe_only);
  for (const std::string& tag : event.tags) record.add_tags(tag);
  for (const std::string& technique : event.mitre) record.add_mitre(technique);
  journal::Vm& vm = *record.mutable_vm();
  vm.set_serial(event.vm.id.serial);
  vm.set_name(event.vm.name);
  vm.set_uuid(event.vm.uuid);
  vm.set_vmm(event.vm.vmm);
  vm.set_cgroup(event.vm.cgroup);
  vm.set_vcpus(event.vm.vcpus);
  vm.set_pid(event.vm.pid);
  vm.set_given_name(event.vm.given_name);
}

AlertEvent DecodeEvent(const journal::Record& record) {
  AlertEvent event;
  event.key = record.key();
  event.state = EnumWithin(record.state(), AlertState::kCleared);
  event.severity = EnumWithin(record.severity(), Severity::kCritical);
  event.point = EnumWithin(record.point(), Point::kR5);
  event.spec_id = record.spec_id();
  event.feature = record.feature();
  event.part = record.part();
  event.at = {record.kernel_at_ns()};
  event.opened_at = {record.kernel_opened_at_ns()};
  event.value = record.value();
  event.limit = record.limit();
  event.unit = record.unit();
  event.value_text = record.value_text();
  event.norm_text = record.norm_text();
  event.window_ns = record.window_ns();
  event.occurrences = record.occurrences();
  event.count = record.count();
  event.score_millipoints = record.score_millipoints();
  event.contribution_millipoints = record.contribution_millipoints();
  event.summary = record.summary();
  event.why = record.why();
  event.look_at = record.look_at();
  for (const journal::Evidence& evidence : record.evidence()) {
    event.evidence[evidence.name()] = evidence.value();
  }
  event.observation_lost = record.observation_lost();
  event.observe_only = record.observe_only();
  event.tags = {record.tags().begin(), record.tags().end()};
  event.mitre = {record.mitre().begin(), record.mitre().end()};
  const journal::Vm& vm = record.vm();
  event.vm = {.id = {vm.serial()},
              .name = vm.name(),
              .uuid = vm.uuid(),
              .vmm = vm.vmm(),
              .cgroup = vm.cgroup(),
              .vcpus = vm.vcpus(),
              .pid = vm.pid(),
              .given_name = vm.given_name()};
  return event;
}

}  // namespace

std::string EncodeRecord(const JournaledAlert& alert) {
  journal::Record record;
  record.set_epoch(alert.position.epoch);
  record.set_sequence(alert.position.sequence);
  record.set_at_ns(absl::ToUnixNanos(alert.at));
  record.set_opened_at_ns(absl::ToUnixNanos(alert.opened_at));
  record.set_reached(static_cast<uint32_t>(alert.reached));
  record.set_silenced_by(alert.silenced_by);
  record.set_muted(alert.muted);
  EncodeEvent(alert.event, record);
  journal::Host& host = *record.mutable_host();
  host.set_node(alert.host.node);
  host.set_machine_id(alert.host.machine_id);
  host.set_boot_id(alert.host.boot_id);
  host.set_kernel_release(alert.host.kernel_release);
  return record.SerializeAsString();
}

absl::StatusOr<JournaledAlert> DecodeRecord(absl::string_view bytes) {
  journal::Record record;
  if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || record.epoch() == 0) {
    return absl::DataLossError(absl::StrCat("an alert of ", bytes.size(), " bytes is unreadable"));
  }
  JournaledAlert alert;
  alert.position = {record.epoch(), record.sequence()};
  alert.at = absl::FromUnixNanos(record.at_ns());
  alert.opened_at = absl::FromUnixNanos(record.opened_at_ns());
  alert.reached = EnumWithin(record.reached(), Severity::kCritical);
  alert.silenced_by = record.silenced_by();
  alert.muted = record.muted();
  alert.event = DecodeEvent(record);
  alert.host = {.node = record.host().node(),
                .machine_id = record.host().machine_id(),
                .boot_id = record.host().boot_id(),
                .kernel_release = record.host().kernel_release()};
  return alert;
}

}  // namespace kvmsentry
