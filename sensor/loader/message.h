// What goes between daemon and loader, over a socket of kind SOCK_SEQPACKET.
//
// A request is a record of fixed size: numbers, and no text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sensor/base/fd.h"
#include "sensor/base/status.h"

namespace kvmsentry {

enum class LoaderTask : uint32_t {
  kPrepare = 1,
  kAttach,    // `hooks`
  kReattach,  // `program` of `object`
  kDetach,    // the same
  kCountRunTimes,
};

struct LoaderRequest {
  static constexpr size_t kMostHooks = 254;

  LoaderTask task{};
  uint32_t object = 0;
  uint32_t program = 0;
  uint32_t hook_count = 0;
  uint16_t hooks[kMostHooks] = {};  // their places among all hooks
};

// A reply's bytes, and the descriptors that come beside it.
struct Packet {
  std::string bytes;
  std::vector<Fd> descriptors;
};

// As the kernel: net/core/scm.h, SCM_MAX_FD.
inline constexpr size_t kMostDescriptors = 253;

// False at the end of the stream.
absl::StatusOr<bool> ReadRequest(int socket, LoaderRequest* request);
absl::Status SendRequest(int socket, const LoaderRequest& request);
absl::StatusOr<Packet> ReadPacket(int socket);
// DESCRIPTORS are duplicated on their way.
absl::Status SendPacket(int socket, std::string bytes, const std::vector<int>& descriptors);

}  // namespace kvmsentry
