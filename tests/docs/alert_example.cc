#include "tests/docs/alert_example.h"

#include <memory>
#include <vector>

#include <google/protobuf/util/json_util.h>

#include "absl/strings/str_cat.h"

#include "kvmsentry/v1/alerts.pb.h"
#include "sensor/engine/engine.h"
#include "sensor/rpc/convert.h"
#include "sensor/rpc/json.h"
#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

constexpr char kBegin[] = "<!-- alert -->\n";
constexpr char kEnd[] = "<!-- end -->";

VmFacts Web() {
  VmFacts vm;
  vm.id = {7};
  vm.name = vm.given_name = "web-1";
  vm.uuid = "8f5d1c3a-6b52-4c55-9d0e-2f0a6f7b1c11";
  vm.vmm = "qemu";
  vm.cgroup = "/machine.slice/machine-qemu\\x2d7\\x2dweb\\x2d1.scope/libvirt/emulator";
  vm.vcpus = 2;
  vm.pid = 41734;
  return vm;
}

// What the kernel reports once the limit of pio-storm is passed.
Observation Storm(KernelTime at) {
  Observation crossed;
  crossed.time = at;
  crossed.vm = Web().id;
  crossed.kind = ObservationKind::kCrossed;
  crossed.feature = FeatureNamed("pio.rate");
  crossed.serial = 1;
  crossed.value = 40'116;
  crossed.window_ns = kNsPerSecond;
  crossed.detail = 0x3f5;
  return crossed;
}

// Over several lines.
absl::StatusOr<std::string> Wrapped(const std::string& line) {
  v1::SubscribeResponse message;
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  options.add_whitespace = true;
  std::string json;
  if (!google::protobuf::util::JsonStringToMessage(line, &message).ok() ||
      !google::protobuf::util::MessageToJsonString(message, &json, options).ok()) {
    return absl::InternalError("the example is no JSON of a message");
  }
  return json;
}

}  // namespace

absl::StatusOr<std::string> AlertExample(const SpecLibrary& library) {
  const KernelTime at{11'548'251 * kNsPerMs};
  const absl::Time wall = absl::FromUnixMillis(1'795'977'032'251);
  Engine engine(std::make_shared<SpecLibrary>(library), {});
  engine.UpsertVm(Web(), {0});
  engine.Observe(Storm(at));
  for (const AlertEvent& event : engine.Tick(at)) {
    if (event.spec_id != "pio-storm") continue;
    JournaledAlert alert;
    alert.position = {1'795'965'484'180, 31};
    alert.event = event;
    alert.host = {.node = "node-7",
                  .machine_id = "4c1f3f0e8a7b4d0c9e35a2b1c0d4e5f6",
                  .boot_id = "b1946ac9-2f3e-4d0a-8c57-0d6d9c9f4b2e",
                  .kernel_release = {}};
    alert.at = alert.opened_at = wall;
    v1::SubscribeResponse message;
    *message.mutable_alert() = ToProto(alert);
    return Wrapped(JsonLine(message));
  }
  return absl::NotFoundError("no alert of pio-storm");
}

absl::StatusOr<std::string> WithAlertExample(absl::string_view document,
                                             const SpecLibrary& library) {
  KVMSENTRY_ASSIGN_OR_RETURN(const std::string example, AlertExample(library));
  const size_t begin = document.find(kBegin);
  const size_t end = begin == document.npos ? begin : document.find(kEnd, begin);
  if (end == document.npos) return absl::NotFoundError("no place for the example of an alert");
  return absl::StrCat(document.substr(0, begin), kBegin, "```json\n", example, "```\n",
                      document.substr(end));
}

}  // namespace kvmsentry
