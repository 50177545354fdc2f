#include "sensor/spec/layers.h"

#include "absl/strings/str_cat.h"

namespace kvmsentry {

std::string ToString(const FilePlace& place) {
  return absl::StrCat(place.file, ":", place.line, ":", place.column);
}

}  // namespace kvmsentry
