#include "sensor/source/resource/survey_maps.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <bpf/bpf.h>

namespace kvmsentry {
namespace {

// VISIT gets each key. Keys may go, and come, meanwhile.
template <typename Key, typename Visit>
void ForEachKey(int map, const Visit& visit) {
  if (map < 0) return;
  std::vector<Key> keys;
  Key previous{};
  // Bounded, for it may change under us.
  for (Key key; keys.size() < KS_MAX_TAPS; previous = key) {
    if (bpf_map_get_next_key(map, keys.empty() ? nullptr : &previous, &key) != 0) break;
    keys.push_back(key);
  }
  for (const Key& each : keys) visit(each);
}

}  // namespace

std::map<uint64_t, ks_resource_tap> ReadTaps(int map) {
  std::map<uint64_t, ks_resource_tap> taps;
  ForEachKey<uint64_t>(map, [&](uint64_t key) {
    ks_resource_tap tap;
    if (bpf_map_lookup_elem(map, &key, &tap) == 0) taps[key] = tap;
  });
  return taps;
}

std::vector<Survey::Taker> TakeTakers(int map) {
  std::vector<Survey::Taker> takers;
  ForEachKey<ks_taker_key>(map, [&](const ks_taker_key& key) {
    ks_taker taker;
    if (bpf_map_lookup_elem(map, &key, &taker) != 0) return;
    bpf_map_delete_elem(map, &key);
    takers.push_back({.victim = {key.victim},
                      .taker = {key.taker},
                      .tgid = key.tgid,
                      .comm = {taker.comm, strnlen(taker.comm, sizeof(taker.comm))},
                      .cgroup = {},
                      .ns = taker.ns});
  });
  return takers;
}

absl::Status SetVictims(int map, const std::vector<Survey::Victim>& before,
                        const std::vector<Survey::Victim>& after) {
  if (map < 0) return absl::UnavailableError("there is no map of victims");
  for (const Survey::Victim& victim : before) {
    if (!std::ranges::binary_search(after, victim)) bpf_map_delete_elem(map, &victim.tid);
  }
  for (const Survey::Victim& victim : after) {
    if (std::ranges::binary_search(before, victim)) continue;
    const ks_victim row = {.serial = victim.vm.serial};
    if (bpf_map_update_elem(map, &victim.tid, &row, BPF_ANY) != 0) {
      return absl::ErrnoToStatus(errno, "telling the kernel which vCPU waits");
    }
  }
  return absl::OkStatus();
}

}  // namespace kvmsentry
