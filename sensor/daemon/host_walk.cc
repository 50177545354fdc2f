#include "sensor/daemon/host_walk.h"

#include <utility>

namespace kvmsentry {
namespace {

void CountFailure(const absl::Status& status, HostWalkResult& result) {
  if (status.ok()) return;
  if (result.failures++ == 0) result.first_failure = status;
}

}  // namespace

HostWalkResult HostWalker::Walk() {
  HostWalkResult result;
  result.begin = clock_.Now();
  absl::StatusOr<std::vector<ks_open_file>> files = probe_.WalkOpenFiles();
  CountFailure(files.status(), result);
  if (files.ok()) {
    result.whole = true;
    result.files = *std::move(files);
    std::vector<int32_t> pids;
    for (const ks_open_file& file : result.files) {
      pids.push_back(static_cast<int32_t>(file.tgid));
      pids.push_back(static_cast<int32_t>(file.creator_pid));
    }
    result.processes = Ask(pids);
    if (probe_.walks_devices()) WalkDevices(result);
    ReadGiven(result);
  }
  result.end = clock_.Now();
  return result;
}

ProcessAnswers HostWalker::Ask(const std::vector<int32_t>& pids) {
  return survey_.Ask(pids, clock_.Now());
}

void HostWalker::WalkDevices(HostWalkResult& result) {
  CountFailure(devices_.ReadMiscDevices(), result);
  const auto files_of = [this](int32_t pid, const auto& visit) {
    return probe_.WalkDevices(pid, visit);
  };
  for (const ks_open_file& file : result.files) {
    const auto pid = static_cast<int32_t>(file.tgid);
    const auto [devices, fresh] = result.devices.try_emplace(pid);
    if (!fresh) continue;
    absl::StatusOr<DeviceList> list = devices_.Read(pid, files_of);
    CountFailure(list.status(), result);
    if (list.ok()) devices->second = *std::move(list);
  }
}

// What cannot be read of a process says so in its record; one that has gone is no failure.
void HostWalker::ReadGiven(HostWalkResult& result) {
  given_.Begin(clock_.Now());
  for (const ks_open_file& file : result.files) {
    const auto pid = static_cast<int32_t>(file.tgid);
    const auto process = result.processes.find(pid);
    if (process == result.processes.end() || !process->second.ok()) continue;
    const auto devices = result.devices.find(pid);
    given_.Look(*process->second, devices == result.devices.end() ? DeviceList() : devices->second);
  }
  result.given = given_.End();
}

}  // namespace kvmsentry
