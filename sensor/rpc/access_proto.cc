#include "sensor/rpc/access_proto.h"

namespace kvmsentry {

v1::Access ToProto(const AccessState& state) {
  v1::Access access;
  access.set_connections(state.connections);
  access.set_max_connections(state.max_connections);
  for (const auto& [reason, count] : state.refused) {
    if (count != 0) (*access.mutable_refused())[reason] = count;
  }
  return access;
}

}  // namespace kvmsentry
