// What the pipeline asks of the host's processes.
#include "spdlog/spdlog.h"

#include "sensor/daemon/pipeline.h"

namespace kvmsentry {

std::optional<Walk> Pipeline::MakeWalk(std::vector<ks_open_file>* files) {
  if (!sources_->probe().walks_files() || walks_.Due() > clock_.Now()) return std::nullopt;
  TakeUevents();  // KVM's latest count audits the walk
  inventory_.BeginWalk();
  Walk walk{.begin = clock_.Now(), .files = {}, .devices = {}};
  absl::StatusOr<std::vector<ks_open_file>> walked = sources_->probe().WalkOpenFiles();
  const bool whole = walked.ok();
  if (whole) {
    *files = *std::move(walked);
    walk.files = *files;
    if (sources_->probe().walks_devices()) WalkDevices(&walk);
  } else {
    CountFailedWalk(walked.status());
  }
  walks_.Walked(walk.begin, clock_.Now());
  TakeUevents();  // who died meanwhile
  if (whole) return walk;
  walks_.Doubt();
  return std::nullopt;
}

void Pipeline::WalkDevices(Walk* walk) {
  if (const absl::Status read = device_reader_.ReadMiscDevices(); !read.ok()) {
    CountFailedWalk(read);
  }
  const auto files_of = [this](int32_t pid, const auto& visit) {
    return sources_->probe().WalkDevices(pid, visit);
  };
  for (const ks_open_file& file : walk->files) {
    const auto pid = static_cast<int32_t>(file.tgid);
    const auto [devices, fresh] = walk->devices.try_emplace(pid);
    if (!fresh) continue;
    if (auto list = device_reader_.Read(pid, files_of); list.ok()) {
      devices->second = *std::move(list);
    } else {
      CountFailedWalk(list.status());
    }
  }
}

void Pipeline::CountFailedWalk(const absl::Status& status) {
  if (failed_walks_++ == 0) {
    spdlog::error("names, deaths or devices of VMs are told late: {}",
                  std::string(status.message()));
  }
}

}  // namespace kvmsentry
