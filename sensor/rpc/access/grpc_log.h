// What gRPC itself logs.
#pragma once

namespace kvmsentry {

// From now on, in the whole process: its errors go to our log, at most one in ten seconds, for a
// client brings one about by each handshake that fails. May be called again.
void LogGrpcSparingly();

}  // namespace kvmsentry
