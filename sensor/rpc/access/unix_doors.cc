#include "sensor/rpc/access/unix_doors.h"

namespace kvmsentry {

UnixDoors::UnixDoors(const std::shared_ptr<Gate>& gate, grpc::ServerBuilder& builder) {
  for (size_t i = 0; i < kViewerDoors + kAdminDoors; ++i) {
    auto owner = std::make_shared<Owner>();
    owner->caller.role = i < kViewerDoors ? Role::kViewer : Role::kAdmin;
    const auto source = [owner](const grpc_auth_context*) {
      std::lock_guard lock(owner->mutex);
      return owner->caller;
    };
    doors_.push_back({owner, std::make_unique<Door>(grpc_local_server_credentials_create(UDS), gate,
                                                    source, builder)});
  }
}

int UnixDoors::Claim(int number, const Caller& caller) {
  Entry& entry = at(number);
  entry.used = ++uses_;
  std::lock_guard lock(entry.owner->mutex);
  entry.owner->caller.name = caller.name;
  return number;
}

}  // namespace kvmsentry
