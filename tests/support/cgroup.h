// A cgroup of the test's own, of either version: the files of one controller.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <sys/types.h>

#include "absl/strings/string_view.h"

#include "sensor/base/status.h"

namespace kvmsentry {

// Removed on destruction, when its processes must have ended. Move-only.
class Cgroup {
 public:
  // Of CONTROLLER, as version 2 calls it: "cpu", "memory", "io"; "cpuacct" is a part of "cpu"
  // there.
  static absl::StatusOr<Cgroup> Make(absl::string_view controller);
  Cgroup(Cgroup&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Cgroup& operator=(Cgroup&&) = delete;
  ~Cgroup();

  // Whether the host has version 2 alone.
  static bool IsUnified();

  const std::string& path() const { return path_; }
  absl::Status Add(pid_t pid) const;
  absl::Status Write(absl::string_view file, absl::string_view text) const;
  // Of a FILE with a word and a number a line, the number of WORD; of one with only a number, it,
  // for an empty WORD.
  absl::StatusOr<uint64_t> Read(absl::string_view file, absl::string_view word = "") const;

 private:
  explicit Cgroup(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// The same of any file: the first number of the line whose first word is WORD.
absl::StatusOr<uint64_t> NumberOf(const std::string& path, absl::string_view word);

}  // namespace kvmsentry
