// What a test links instead of sensor/source/domains.cc, to have a feature of each kind: levels
// "test.memory" and "test.share", a state "test.state", the parts' "test.vcpu.rate" and
// "test.disk.memory", "test.unlimited.rate" without a kernel's limit, and sets of texts, addresses
// and pairs.
#pragma once

#include "sensor/feature/feature.h"

namespace kvmsentry {

inline constexpr auto kTestSource = static_cast<SourceId>(100);
extern const MemberKind kTestState;
extern const MemberKind kTestPath;
extern const MemberKind kTestAddress;
extern const MemberKind kTestPair;

}  // namespace kvmsentry
