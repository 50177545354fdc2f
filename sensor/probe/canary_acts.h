// What this process does to make hooks fire that see what processes do, and that a quiet host may
// not make fire for hours.
#pragma once

namespace kvmsentry {

// A signal to itself that it ignores, a connection to itself, its own user's rights taken once
// more: nothing is different afterwards. What the service's filter refuses makes nothing fire, and
// the hook waits for somebody else. Takes microseconds.
void RunCanaryActs();

}  // namespace kvmsentry
