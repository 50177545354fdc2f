#include "sensor/source/resource/survey.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <functional>
#include <span>
#include <utility>

#include <bpf/bpf.h>

#include "absl/container/flat_hash_set.h"

#include "sensor/source/resource/survey_maps.h"

namespace kvmsentry {
namespace {

constexpr std::chrono::seconds kInterval{1};
// Cgroups of so many processes that took a VM's CPU time.
constexpr size_t kGroups = 64;

}  // namespace

std::unique_ptr<Survey> Survey::Start(const Programs& programs) {
  std::unique_ptr<Survey> survey(new Survey(programs));
  survey->thread_ =
      std::jthread([self = survey.get()](const std::stop_token& stop) { self->Run(stop); });
  return survey;
}

Survey::Survey(const Programs& programs)
    : programs_(programs), reader_(GroupReader::Open()), newest_(programs) {}

Survey::~Survey() = default;

void Survey::Use(const Programs& programs) {
  const std::lock_guard lock(mutex_);
  newest_ = programs;
}

void Survey::Want(std::vector<FilesWanted> wanted, std::vector<Victim> victims) {
  const std::lock_guard lock(mutex_);
  wanted_ = std::move(wanted);
  want_victims_ = std::move(victims);
}

std::shared_ptr<const Survey::Report> Survey::Latest() const {
  const std::lock_guard lock(mutex_);
  return latest_;
}

void Survey::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    Step();
    std::unique_lock lock(mutex_);
    stopped_.wait_for(lock, stop, kInterval, [] { return false; });
  }
}

void Survey::ReadFiles(const std::vector<FilesWanted>& wanted, Report* report) {
  absl::flat_hash_set<VmId> live;
  for (const FilesWanted& vm : wanted) live.insert(vm.vm);
  const auto is_gone = [&live](const auto& of_vm) { return !live.contains(of_vm.first); };
  std::erase_if(report->groups, is_gone);
  std::erase_if(report->unread, is_gone);
  if (!reader_.ok()) return;
  for (const FilesWanted& vm : turns_.Choose(wanted)) {
    auto files = reader_->Read(vm.pid);
    report->unread.erase(vm.vm);
    if (files.ok()) {
      report->groups[vm.vm] = {SystemClock().Now(), *std::move(files)};
    } else {
      report->groups.erase(vm.vm);
      if (absl::IsFailedPrecondition(files.status())) {
        report->unread[vm.vm] = std::string(files.status().message());
      }
    }
  }
}

// Only of those that have not ended meanwhile, and of them those that ran longest.
void Survey::ReadGroups(std::vector<Taker>* takers) const {
  if (!reader_.ok()) return;
  std::ranges::sort(*takers, std::greater(), &Taker::ns);
  size_t left = kGroups;
  for (Taker& taker : *takers) {
    if (taker.tgid == 0 || taker.taker.serial != 0) continue;
    if (left-- == 0) break;
    const auto group = reader_->CpuGroup(static_cast<int32_t>(taker.tgid));
    if (group.ok() && *group != "/") taker.cgroup = *group;
  }
}

// The victims first: what runs then knows them at once.
absl::Status Survey::LookAtSwitches(std::vector<Victim> victims) {
  std::ranges::sort(victims);
  if (victims != victims_) {
    KVMSENTRY_RETURN_IF_ERROR(SetVictims(programs_.victim_map, victims_, victims));
    victims_ = std::move(victims);
  }
  if (victims_.empty()) {
    switches_.reset();
  } else if (!switches_) {
    if (programs_.switches < 0) return absl::UnavailableError("the program is not loaded");
    switches_ = Fd(bpf_raw_tracepoint_open(nullptr, programs_.switches));
    if (!switches_) return absl::ErrnoToStatus(errno, "attaching to sched_switch");
  }
  return absl::OkStatus();
}

void Survey::Step() {
  std::vector<FilesWanted> wanted;
  std::vector<Victim> victims;
  auto report = std::make_shared<Report>();
  {
    const std::lock_guard lock(mutex_);
    if (latest_) *report = *latest_;
    programs_ = newest_;
    wanted = wanted_;
    victims = want_victims_;
  }
  const uint64_t number = ++report->passes;
  report->pass = programs_.vms.Run(number);
  report->taps = programs_.taps.Run(number);
  report->tap = ReadTaps(programs_.tap_map);
  report->takers = TakeTakers(programs_.taker_map);
  ReadGroups(&report->takers);
  report->zoom = LookAtSwitches(std::move(victims));
  ReadFiles(wanted, report.get());
  const std::lock_guard lock(mutex_);
  latest_ = std::move(report);
}

}  // namespace kvmsentry
