#include "sensor/sink/json_lines.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <google/protobuf/util/json_util.h>
#include <sys/stat.h>

#include "kvmsentry/v1/alerts.pb.h"
#include "sensor/rpc/convert.h"
#include "sensor/rpc/json.h"

namespace kvmsentry {
namespace {

std::string LineOf(const StreamItem& item) {
  v1::SubscribeResponse message;
  if (const Gap* const gap = std::get_if<Gap>(&item)) {
    *message.mutable_gap() = ToProto(*gap);
  } else {
    *message.mutable_alert() = ToProto(*std::get<AlertPtr>(item));
  }
  return JsonLine(message);
}

std::optional<Position> PositionOf(const std::string& line) {
  v1::SubscribeResponse message;
  if (!google::protobuf::util::JsonStringToMessage(line, &message).ok()) return std::nullopt;
  const v1::Position& at = message.has_gap() ? message.gap().to() : message.alert().position();
  if (at.epoch() == 0) return std::nullopt;
  return Position{at.epoch(), at.sequence()};
}

// The last SIZE bytes of it.
absl::StatusOr<std::string> ReadEnd(const std::string& path, size_t size) {
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat facts {};
  if (!file || fstat(file.get(), &facts) != 0) return absl::ErrnoToStatus(errno, path);
  std::string end(std::min(static_cast<size_t>(facts.st_size), size), '\0');
  const ssize_t got =
      pread(file.get(), end.data(), end.size(), facts.st_size - static_cast<off_t>(end.size()));
  if (got < 0) return absl::ErrnoToStatus(errno, path);
  end.resize(static_cast<size_t>(got));
  return end;
}

constexpr size_t kMaxLineBytes = 1 << 20;

// The length of the torn line at the end.
size_t TornBytes(const std::string& end) {
  const size_t newline = end.rfind('\n');
  return end.size() - (newline == std::string::npos ? 0 : newline + 1);
}

}  // namespace

std::optional<Position> JsonFileSink::LastWritten() {
  for (const std::string& path : {path_, path_ + ".1"}) {
    absl::StatusOr<std::string> end = ReadEnd(path, kMaxLineBytes);
    if (!end.ok()) continue;
    end->resize(end->size() - TornBytes(*end));
    if (end->empty()) continue;
    end->pop_back();
    const size_t before = end->rfind('\n');
    return PositionOf(end->substr(before == std::string::npos ? 0 : before + 1));
  }
  return std::nullopt;
}

absl::Status JsonFileSink::Open() {
  const absl::StatusOr<std::string> end = ReadEnd(path_, kMaxLineBytes);
  file_ = Fd(open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR));
  struct stat facts {};
  if (!file_ || fstat(file_.get(), &facts) != 0) return absl::ErrnoToStatus(errno, path_);
  size_ = static_cast<uint64_t>(facts.st_size);
  inode_ = facts.st_ino;
  const size_t torn = end.ok() ? TornBytes(*end) : 0;
  if (torn == 0) return absl::OkStatus();
  size_ -= torn;
  if (ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) {
    return absl::ErrnoToStatus(errno, path_);
  }
  return absl::OkStatus();
}

absl::Status JsonFileSink::Rotate() {
  for (int number = kFiles - 1; number >= 1; --number) {
    const std::string from = number == 1 ? path_ : absl::StrCat(path_, ".", number - 1);
    if (rename(from.c_str(), absl::StrCat(path_, ".", number).c_str()) != 0 && errno != ENOENT) {
      return absl::ErrnoToStatus(errno, from);
    }
  }
  file_.reset();
  return Open();
}

absl::Status JsonFileSink::Write(const StreamItem& item) {
  // Somebody else may have moved it away, as logrotate does.
  struct stat at_path {};
  const bool there = stat(path_.c_str(), &at_path) == 0 && at_path.st_ino == inode_;
  if (!file_ || !there) KVMSENTRY_RETURN_IF_ERROR(Open());
  const std::string line = LineOf(item);
  if (size_ > 0 && size_ + line.size() > rotate_bytes_) KVMSENTRY_RETURN_IF_ERROR(Rotate());
  const ssize_t written = write(file_.get(), line.data(), line.size());
  if (written == static_cast<ssize_t>(line.size())) {
    size_ += line.size();
    return absl::OkStatus();
  }
  const int error = written < 0 ? errno : ENOSPC;
  file_.reset();  // the next try opens it and cuts the torn line off
  return absl::ErrnoToStatus(error, path_);
}

absl::Status JsonStdoutSink::Write(const StreamItem& item) {
  if (rest_.empty()) rest_ = LineOf(item);
  while (!rest_.empty()) {
    const ssize_t written = write(STDOUT_FILENO, rest_.data(), rest_.size());
    if (written < 0 && errno != EINTR) return absl::ErrnoToStatus(errno, "standard output");
    rest_.erase(0, static_cast<size_t>(std::max<ssize_t>(written, 0)));
  }
  return absl::OkStatus();
}

}  // namespace kvmsentry
