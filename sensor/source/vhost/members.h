// The kinds of members that the features of vhost have.
#pragma once

#include "sensor/feature/member_kind.h"

namespace kvmsentry {

// "SET_MEM_TABLE": those of linux/vhost.h, without their prefix.
extern const MemberKind kVhostIoctl;
extern const MemberKind kRing;  // ks_ring

}  // namespace kvmsentry
