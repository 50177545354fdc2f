#include <vector>

#include <unistd.h>

#include "sensor/cli/client.h"
#include "sensor/cli/commands.h"
#include "sensor/cli/format.h"
#include "sensor/cli/hints.h"
#include "sensor/cli/open_alerts.h"
#include "sensor/cli/output.h"
#include "sensor/cli/words.h"
#include "sensor/rpc/json.h"

namespace kvmsentry {
namespace {

absl::StatusOr<std::vector<v1::VmStatus>> List(Client& client, const v1::ListVmsRequest& request) {
  KVMSENTRY_ASSIGN_OR_RETURN(const v1::ListVmsResponse response, client.ListVms(request));
  return std::vector<v1::VmStatus>(response.vms().begin(), response.vms().end());
}

// The one that is asked for. All are listed only where the nearest is to be named.
absl::StatusOr<std::vector<v1::VmStatus>> VmOf(Client& client, const VmsCommand& command) {
  v1::ListVmsRequest request = command.request;
  request.add_vm(LiteralGlob(command.name));
  KVMSENTRY_ASSIGN_OR_RETURN(std::vector<v1::VmStatus> vms, List(client, request));
  if (vms.empty()) {
    KVMSENTRY_ASSIGN_OR_RETURN(vms, List(client, v1::ListVmsRequest()));
  }
  KVMSENTRY_ASSIGN_OR_RETURN(v1::VmStatus vm, FindVm(vms, command.name));
  return std::vector{std::move(vm)};
}

// The VMs that are asked for, in order.
absl::StatusOr<std::vector<v1::VmStatus>> VmsOf(Client& client, const VmsCommand& command) {
  if (!command.name.empty()) return VmOf(client, command);
  KVMSENTRY_ASSIGN_OR_RETURN(std::vector<v1::VmStatus> vms, List(client, command.request));
  SortVms(command.sort, vms);
  return vms;
}

absl::StatusOr<std::string> Text(Client& client, const std::vector<v1::VmStatus>& vms,
                                 const VmsCommand& command, const Look& look) {
  std::string text;
  if (command.name.empty()) {
    text = FormatVms(vms, look);
  } else {
    v1::AlertFilter filter;
    filter.add_vm(LiteralGlob(vms[0].vm().name()));
    KVMSENTRY_ASSIGN_OR_RETURN(std::vector<v1::Alert> open, ListAllOpen(client, filter));
    // Another VM may be called what this one is shown as.
    std::erase_if(open,
                  [&](const v1::Alert& alert) { return alert.vm().id() != vms[0].vm().id(); });
    text = FormatVm(vms[0], open, look);
  }
  if (command.given) {
    v1::ListVmsResponse given;
    for (const v1::VmStatus& vm : vms) *given.add_vms() = vm;
    absl::StrAppend(&text, "\n", FormatGiven(given, look.style, look.zone, look.width));
  }
  if (command.counts) text += FormatCounts(vms, look.style);
  if (command.exits) text += FormatExits(vms, look.style);
  if (command.devices) text += FormatDevices(vms, look);
  return text;
}

}  // namespace

int Run(const CommonOptions& common, const VmsCommand& command) {
  const auto client = Client::Connect(common.target);
  if (!client.ok()) return Fail(client.status());
  const auto vms = VmsOf(**client, command);
  if (!vms.ok()) return Fail(vms.status());
  Output output(STDOUT_FILENO);
  if (command.json) {
    for (const v1::VmStatus& vm : *vms) output.Write(JsonLine(vm));
  } else {
    const auto text = Text(**client, *vms, command, LookFor(common, command.wide));
    if (!text.ok()) return Fail(text.status());
    output.Write(*text);
  }
  if (vms->empty()) {
    v1::AlertFilter named;
    *named.mutable_vm() = command.request.vm();
    for (const std::string& hint : HintsOn(named, **client)) Say(hint);
  }
  return output.Finish();
}

}  // namespace kvmsentry
