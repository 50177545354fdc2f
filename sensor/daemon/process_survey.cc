#include "sensor/daemon/process_survey.h"

#include <utility>

namespace kvmsentry {

ProcessAnswers ProcessSurvey::Ask(std::span<const int32_t> pids, KernelTime now) {
  ProcessAnswers answers;
  for (const int32_t pid : pids) {
    if (pid <= 0 || answers.contains(pid)) continue;
    const auto known = known_.find(pid);
    const bool fresh = known != known_.end() && now - known->second.read_at < kReadAgainNs;
    if (fresh && reader_->ReadStart(pid).value_or(0) == known->second.facts.start_ticks) {
      answers.emplace(pid, known->second.facts);
      continue;
    }
    absl::StatusOr<ProcessFacts> facts = reader_->Read(pid);
    if (facts.ok()) known_.insert_or_assign(pid, Known{*facts, now});
    answers.emplace(pid, std::move(facts));
  }
  // What nobody asked for during that time is of no use any more.
  std::erase_if(known_,
                [&](const auto& entry) { return now - entry.second.read_at >= kReadAgainNs; });
  return answers;
}

void ProcessBoard::Answer(ProcessAnswers answers) {
  for (auto& [pid, answer] : answers) {
    wanted_.erase(pid);
    answers_.insert_or_assign(pid, std::move(answer));
  }
}

std::vector<int32_t> ProcessBoard::Wanted() const {
  std::vector<int32_t> pids;
  for (const auto& [pid, since] : wanted_) pids.push_back(pid);
  return pids;
}

absl::StatusOr<ProcessFacts> ProcessBoard::Read(int32_t pid) {
  if (const auto answer = answers_.find(pid); answer != answers_.end()) return answer->second;
  wanted_.try_emplace(pid, now_);
  return absl::NotFoundError("not read yet");
}

absl::StatusOr<uint64_t> ProcessBoard::ReadStart(int32_t pid) {
  KVMSENTRY_ASSIGN_OR_RETURN(const ProcessFacts facts, Read(pid));
  return facts.start_ticks;
}

bool ProcessBoard::Pending(int32_t pid) {
  if (pid <= 0 || answers_.contains(pid)) return false;
  return now_ - wanted_.try_emplace(pid, now_).first->second < kPatienceNs;
}

}  // namespace kvmsentry
