#include "sensor/source/vmm/network_acts.h"

#include <algorithm>
#include <utility>

#include "bpf/vmm/records.h"
#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

// The networks that explain what was seen, as the programs have it (bpf/vmm/network.bpf.c,
// conduct.bpf.c); 0: none does.
uint64_t ExplainedBy(const Observation& seen) {
  static const FeatureId kConnection = FeatureNamed("vmm.connection");
  static const FeatureId kDatagram = FeatureNamed("vmm.datagram");
  static const FeatureId kSocket = FeatureNamed("vmm.socket");
  if (seen.feature == kConnection) return KS_NETWORK_USER;
  if (seen.feature == kDatagram) return KS_NETWORK_USER | KS_NETWORK_DATAGRAM;
  const bool of_guests = seen.value == KS_SOCKET_UDP || seen.value == KS_SOCKET_PING;
  return seen.feature == kSocket && of_guests ? KS_NETWORK_USER : 0;
}

// Of a connection to where the VMM was told to connect.
bool IsTold(const Observation& seen, const std::vector<std::string>& remotes) {
  static const FeatureId kConnection = FeatureNamed("vmm.connection");
  return seen.feature == kConnection && seen.member != nullptr &&
         std::ranges::find(remotes, seen.member->text) != remotes.end();
}

}  // namespace

bool NetworkActs::Keep(const Observation& seen) {
  const uint64_t explained_by = ExplainedBy(seen);
  if (explained_by == 0) return false;
  if (const auto found = known_.find(seen.vm); found != known_.end()) {
    const Known& known = found->second;
    // Of networks the programs know by themselves once that has settled, but not of remotes.
    return IsTold(seen, known.remotes) ||
           (settling_.contains(seen.vm) && (explained_by & known.networks) != 0);
  }
  std::vector<Observation>& waiting = waiting_[seen.vm];
  if (waiting.size() == kMostWaiting) return false;
  waiting.push_back(seen);
  return true;
}

void NetworkActs::Know(VmId vm, uint64_t networks, std::vector<std::string> remotes) {
  const auto [known, is_new] = known_.try_emplace(vm);
  const bool others = std::exchange(known->second.networks, networks) != networks;
  if (is_new || others) settling_[vm] = kSettlingTakes;
  known->second.remotes = std::move(remotes);
  const auto waiting = waiting_.extract(vm);
  if (waiting.empty()) return;
  for (Observation& seen : waiting.mapped()) {
    if ((ExplainedBy(seen) & networks) != 0 || IsTold(seen, known->second.remotes)) continue;
    ready_.push_back(std::move(seen));
  }
}

void NetworkActs::Forget(VmId vm) {
  known_.erase(vm);
  settling_.erase(vm);
  waiting_.erase(vm);
}

void NetworkActs::Take(KernelTime now, std::vector<Observation>* out) {
  std::erase_if(waiting_, [&](auto& waits) {
    const bool for_long = now - waits.second.front().time >= kWaitNs;
    if (for_long) ready_.insert(ready_.end(), waits.second.begin(), waits.second.end());
    return for_long;
  });
  for (auto& [vm, takes] : settling_) --takes;
  std::erase_if(settling_, [](const auto& vm) { return vm.second == 0; });
  // Of now: the engine has passed the time at which they were seen.
  for (Observation& seen : ready_) {
    seen.time = now;
    out->push_back(std::move(seen));
  }
  ready_.clear();
}

}  // namespace kvmsentry
