#include "sensor/rpc/convert_given.h"

#include <type_traits>
#include <variant>

#include "sensor/base/escape.h"
#include "sensor/given/facts.h"
#include "sensor/rpc/convert.h"

namespace kvmsentry {
namespace {

static_assert(static_cast<int>(FactOrigin::kUnknown) == v1::GivenFact::UNKNOWN &&
              static_cast<int>(FactOrigin::kArgv) == v1::GivenFact::COMMAND_LINE &&
              static_cast<int>(FactOrigin::kDefault) == v1::GivenFact::DEFAULT &&
              static_cast<int>(FactOrigin::kConfigFile) == v1::GivenFact::CONFIG_FILE &&
              static_cast<int>(FactOrigin::kOpenFile) == v1::GivenFact::OPEN_FILE &&
              static_cast<int>(FactOrigin::kMemorySlots) == v1::GivenFact::MEMORY_SLOTS &&
              static_cast<int>(FactOrigin::kVcpus) == v1::GivenFact::VCPUS &&
              static_cast<int>(FactOrigin::kIoeventfds) == v1::GivenFact::IOEVENTFDS &&
              static_cast<int>(FactOrigin::kCgroup) == v1::GivenFact::CGROUP &&
              static_cast<int>(FactOrigin::kProcess) == v1::GivenFact::PROCESS &&
              static_cast<int>(FactOrigin::kHelper) == v1::GivenFact::HELPER &&
              static_cast<int>(FactOrigin::kLibvirt) == v1::GivenFact::LIBVIRT &&
              static_cast<int>(FactOrigin::kKubevirt) == v1::GivenFact::KUBEVIRT);

void SetValue(const NamedFact& fact, v1::GivenFact* proto) {
  if (const auto* text = std::get_if<std::string>(&fact.value)) {
    proto->set_text(EscapeAgain(*text));
  } else if (const auto* number = std::get_if<uint64_t>(&fact.value)) {
    proto->set_number(*number);
  } else if (const auto* flag = std::get_if<bool>(&fact.value)) {
    proto->set_flag(*flag);
  } else if (const auto* texts = std::get_if<std::vector<std::string>>(&fact.value)) {
    v1::GivenList& list = *proto->mutable_list();
    for (const std::string& each : *texts) list.add_texts(EscapeAgain(each));
  }
}

// What the guest's own drivers set up is no change of what it was given, and only shown with it.
void AddWindows(const DeviceList& devices, Given* given) {
  for (const WriteWindow& found : devices.windows) {
    given::Window* window = AddPart(&given->windows, "windows", given);
    if (window == nullptr) return;
    *window = {.ports = found.port,
               .first = found.first,
               .last = found.last,
               .device = "",
               .origin = FactOrigin::kIoeventfds};
  }
}

}  // namespace

void AddGiven(const VmView& vm, v1::VmStatus* status) {
  if (vm.given == nullptr) return;
  Given given = vm.given->given;
  if (vm.mapped != 0) given.memory.mapped = {vm.mapped, FactOrigin::kMemorySlots};
  if (vm.vcpus != 0) given.cpus.created = {vm.vcpus, FactOrigin::kVcpus};
  AddWindows(vm.devices, &given);
  v1::Given& proto = *status->mutable_given();
  for (const GivenPart& part : PartsOf(given)) {
    v1::GivenPart& to = *proto.add_parts();
    to.set_kind(part.kind);
    to.set_id(EscapeAgain(part.id));
    for (const NamedFact& fact : part.facts) {
      v1::GivenFact& named = *to.add_facts();
      named.set_name(fact.name);
      named.set_origin(static_cast<v1::GivenFact::Origin>(static_cast<int>(fact.origin)));
      named.set_bytes(fact.bytes);
      SetValue(fact, &named);
    }
  }
  for (const std::string& gap : given.gaps) proto.add_gaps(EscapeAgain(gap));
  if (!vm.given->changed_at) return;
  *proto.mutable_changed_at() = ToProto(vm.given_changed_at);
  for (const std::string& change : vm.given->changes) proto.add_changes(EscapeAgain(change));
}

}  // namespace kvmsentry
