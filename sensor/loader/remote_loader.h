// A loader in a process of its own, which keeps the rights that the daemon gives up.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include <sys/types.h>

#include "sensor/base/fd.h"
#include "sensor/loader/message.h"
#include "sensor/probe/loader.h"

namespace kvmsentry {

// Kills the process on destruction, and waits for its end: then nothing that it attached is left,
// unless what it handed over is still open. Used by one thread at a time.
class RemoteLoader final : public Loader {
 public:
  // Forks, so this process must have one thread only. CONFINE runs in the new process before it
  // serves anything: it gives up what a loader does not need. SOURCES outlive the loader.
  static absl::StatusOr<std::unique_ptr<RemoteLoader>> Start(
      const ProbeOptions& options, const std::vector<const BpfSource*>& sources,
      const std::function<absl::Status()>& confine);
  ~RemoteLoader() override;
  RemoteLoader(const RemoteLoader&) = delete;
  RemoteLoader& operator=(const RemoteLoader&) = delete;

  absl::StatusOr<Prepared> Prepare() override;
  absl::StatusOr<Attached> Attach(std::span<const Hook* const> hooks) override;
  absl::StatusOr<LoadedLink> Reattach(uint32_t object, uint32_t program) override;
  absl::Status Detach(uint32_t object, uint32_t program) override;
  absl::StatusOr<Fd> CountRunTimes() override;
  // UNAVAILABLE once the process has ended: what is attached stays, and nothing more can be.
  absl::Status Audit() override;

 private:
  RemoteLoader(pid_t pid, Fd socket, std::vector<const Hook*> hooks);
  // Sends REQUEST. The status of a reply is its own error.
  absl::StatusOr<class ReplyReader> Ask(const LoaderRequest& request);
  absl::StatusOr<class ReplyReader> Next();
  // An answer that is not whole leaves open what is attached, and what the next answer belongs to:
  // the process ends, and with it whatever was not handed over. Returns WHY.
  absl::Status Broken(const absl::Status& why);
  // TAKEN, unless it is broken.
  template <typename T>
  absl::StatusOr<T> Whole(absl::StatusOr<T> taken);

  const pid_t pid_;
  const Fd socket_;
  const std::vector<const Hook*> hooks_;  // all, as the process knows them
};

}  // namespace kvmsentry
