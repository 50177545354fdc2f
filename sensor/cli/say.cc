#include <cstdio>
#include <string>

#include "absl/time/clock.h"

#include "sensor/base/escape.h"
#include "sensor/cli/commands.h"

namespace kvmsentry {

void Say(const std::string& text) { fprintf(stderr, "kvmsentry: %s\n", EscapeAgain(text).c_str()); }

int Fail(const absl::Status& status) {
  Say(std::string(status.message()));
  return 1;
}

Look LookFor(const CommonOptions& common, bool wide) {
  return {.style = StyleFor(common.color),
          .zone = absl::LocalTimeZone(),
          .now = absl::Now(),
          .width = wide ? kAnyWidth : OutputWidth()};
}

}  // namespace kvmsentry
