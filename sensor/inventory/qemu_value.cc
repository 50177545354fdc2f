#include "sensor/inventory/qemu_value.h"

namespace kvmsentry {

std::string TakeQemuValue(absl::string_view* text) {
  std::string value;
  while (!text->empty()) {
    if (text->front() == ',') {
      text->remove_prefix(1);
      if (text->empty() || text->front() != ',') break;
    }
    value.push_back(text->front());
    text->remove_prefix(1);
  }
  return value;
}

}  // namespace kvmsentry
