// A folder of the test's own, removed with all that is in it. Move-only.
#pragma once

#include <string>

#include "sensor/base/status.h"

namespace kvmsentry {

class TempDir {
 public:
  static absl::StatusOr<TempDir> Make();
  TempDir(TempDir&& other) noexcept;
  TempDir& operator=(TempDir&& other) noexcept;
  ~TempDir();

  const std::string& path() const { return path_; }
  std::string operator/(absl::string_view name) const { return absl::StrCat(path_, "/", name); }

 private:
  explicit TempDir(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace kvmsentry
