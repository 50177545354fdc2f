#include "sensor/sink/runner.h"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

#include "absl/strings/strip.h"

#include "sensor/base/fd.h"
#include "sensor/inventory/files.h"

namespace kvmsentry {
namespace {

constexpr std::chrono::seconds kRetry(1);
constexpr std::chrono::seconds kIdle(60);
constexpr std::chrono::seconds kHangs(5);
constexpr size_t kMaxPositionBytes = 64;

}  // namespace

SinkRunner::SinkRunner(const Hub& hub, std::unique_ptr<Sink> sink, std::string position_file)
    : hub_(hub),
      sink_(std::move(sink)),
      name_(sink_->name()),
      position_file_(std::move(position_file)),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

SinkRunner::~SinkRunner() = default;

std::string SinkRunner::problem() const {
  const std::lock_guard lock(mutex_);
  const bool hangs = writing_since_ && std::chrono::steady_clock::now() - *writing_since_ >= kHangs;
  return hangs ? absl::StrCat(name_, ": takes no alert; nobody reads what is written") : problem_;
}

uint64_t SinkRunner::written() const {
  const std::lock_guard lock(mutex_);
  return written_;
}

void SinkRunner::SetProblem(const absl::Status& status) {
  const std::lock_guard lock(mutex_);
  problem_ = status.ok() ? "" : absl::StrCat(name_, ": ", status.message());
}

std::optional<Position> SinkRunner::Start() {
  if (const auto position = sink_->LastWritten()) return position;
  if (position_file_.empty()) return std::nullopt;
  const auto text = ReadFileAt(AT_FDCWD, position_file_, kMaxPositionBytes);
  if (!text.ok()) return std::nullopt;
  return ParsePosition(absl::StripSuffix(*text, "\n"));
}

// By renaming, so that there is always a whole one.
void SinkRunner::Save(Position position) {
  if (position_file_.empty()) return;
  const std::string text = ToString(position) + "\n";
  const std::string next = position_file_ + ".next";
  const Fd file(open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR));
  absl::Status status;
  if (!file || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      rename(next.c_str(), position_file_.c_str()) != 0) {
    SetProblem(absl::ErrnoToStatus(errno, position_file_));
  }
}

// Whether it was written before the end.
bool SinkRunner::WriteOne(const StreamItem& item, const std::stop_token& stop) {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      writing_since_ = std::chrono::steady_clock::now();
    }
    const absl::Status status = sink_->Write(item);
    SetProblem(status);
    std::unique_lock lock(mutex_);
    writing_since_.reset();
    if (status.ok()) {
      if (std::holds_alternative<AlertPtr>(item)) ++written_;
      return true;
    }
    stopped_.wait_for(lock, stop, kRetry, [] { return false; });
    if (stop.stop_requested()) return false;
  }
}

void SinkRunner::Run(const std::stop_token& stop) {
  Cursor cursor = hub_.ReadAfter(Start());
  std::optional<Position> unsaved;
  for (;;) {
    const absl::StatusOr<std::optional<StreamItem>> item = cursor.Next();
    if (item.ok() && *item) {
      if (!WriteOne(**item, stop)) return;
      unsaved = PositionAfter(**item);
      continue;
    }
    if (unsaved) Save(*std::exchange(unsaved, std::nullopt));
    if (!item.ok()) SetProblem(item.status());
    if (stop.stop_requested()) return;
    if (item.ok()) {
      hub_.Wait(cursor.position(), kIdle, stop);
    } else {
      std::unique_lock lock(mutex_);
      stopped_.wait_for(lock, stop, kRetry, [] { return false; });
    }
  }
}

}  // namespace kvmsentry
