// Changes of the loaded spec library, as the SpecAdmin service asks for them; the daemon does them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sensor/base/status.h"
#include "sensor/rpc/sensor_view.h"

namespace kvmsentry {

struct SiteFile {
  std::string name;  // without a folder
  std::string text;
};

struct SiteChange {
  std::vector<SiteFile> files = {};  // the whole layer
  bool validate_only = false;
  std::string if_sha256 = {};  // only if this library is loaded; empty: whatever is
};

struct LoadedSpecs {
  LibraryView library;
  std::vector<std::string> warnings;
};

// Thread safe, and returns soon. DONE is called once, from any thread, also where the daemon ends.
class SpecControl {
 public:
  using Done = std::function<void(absl::StatusOr<LoadedSpecs>)>;
  virtual ~SpecControl() = default;
  virtual void Apply(SiteChange change, Done done) = 0;
  virtual void Reload(Done done) = 0;
};

}  // namespace kvmsentry
