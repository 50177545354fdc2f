#include "sensor/rpc/access_proto.h"

#include <string>

namespace kvmsentry {

v1::Access ToProto(const AccessBoard& board) {
  v1::Access access;
  access.set_connections(board.connections());
  access.set_max_connections(board.max_connections());
  for (const Refusal refusal : kRefusals) {
    const uint64_t count = board.refused(refusal);
    if (count != 0) (*access.mutable_refused())[std::string(RefusalName(refusal))] = count;
  }
  return access;
}

}  // namespace kvmsentry
