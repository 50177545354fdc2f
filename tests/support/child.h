// A forked process of the test that does something in steps.
#pragma once

#include <functional>

#include <sys/types.h>

#include "sensor/base/fd.h"
#include "sensor/base/status.h"

namespace kvmsentry {

// Killed and reaped on destruction. Move-only.
class Child {
 public:
  // BODY runs in the child; what it is handed waits there for the parent's next Continue(). A body
  // that fails says so on standard error. With PID the child gets that process id, which must be
  // free: the kernel would hand it out again anyway, only later.
  using Pause = std::function<void()>;
  static absl::StatusOr<Child> Fork(const std::function<absl::Status(const Pause&)>& body,
                                    pid_t pid = 0);
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  ~Child();

  pid_t pid() const { return pid_; }

  // Waits until the child pauses.
  absl::Status AwaitPause();
  // Lets it go on.
  absl::Status Continue();
  // Waits for its end, which must be a success.
  absl::Status AwaitEnd();
  // Lets it go on, and does the same.
  absl::Status Finish();

 private:
  Child(pid_t pid, Fd from, Fd to) : pid_(pid), from_(std::move(from)), to_(std::move(to)) {}
  pid_t pid_;
  Fd from_;
  Fd to_;
};

}  // namespace kvmsentry
