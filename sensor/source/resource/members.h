// The kinds of members that the features of the source resource have.
#pragma once

#include "sensor/feature/member_kind.h"

namespace kvmsentry {

extern const MemberKind kVcpuState;  // VcpuProgress of progress.h
extern const MemberKind kTaker;      // "vm:NAME", "process:COMM" or "kernel:COMM"

}  // namespace kvmsentry
