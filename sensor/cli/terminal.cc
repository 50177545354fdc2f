#include "sensor/cli/terminal.h"

#include <algorithm>
#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

#include "absl/strings/numbers.h"

namespace kvmsentry {
namespace {

constexpr size_t kUsual = 80;
constexpr size_t kLeast = 40;
constexpr size_t kMost = 1000;

}  // namespace

size_t OutputWidth() {
  size_t width = kUsual;
  const char* const columns = std::getenv("COLUMNS");
  uint32_t said = 0;
  winsize size{};
  if (columns != nullptr && absl::SimpleAtoi(columns, &said) && said > 0) {
    width = said;
  } else if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    width = size.ws_col;
  }
  return std::clamp(width, kLeast, kMost);
}

}  // namespace kvmsentry
