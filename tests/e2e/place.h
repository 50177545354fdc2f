// Where the daemon of one test lives: a folder with its socket and its spec library, and its pins.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/base/status.h"
#include "tests/support/temp_dir.h"

namespace kvmsentry {

// No two that live at the same time share anything. Whoever makes it removes its pins; the folder
// goes with it. Move-only.
class Place {
 public:
  static absl::StatusOr<Place> Make();

  std::string socket() const { return folder_ / "s.sock"; }
  std::string specs() const { return folder_ / "specs"; }
  std::string site_specs() const { return folder_ / "specs.d"; }  // is not there at first
  std::string state() const { return folder_ / "state"; }
  std::string file(absl::string_view name) const { return folder_ / name; }
  const std::string& pin_root() const { return pin_root_; }
  // That each daemon here has.
  const std::vector<std::string>& options() const { return options_; }
  void set_options(std::vector<std::string> options) { options_ = std::move(options); }

  // Adds a file of tests/e2e/specs, or one with this text, to the library.
  absl::Status AddSpecs(absl::string_view file) const;
  absl::Status WriteSpecs(absl::string_view file, absl::string_view text) const;

  // Removes the pins; there need be none. No daemon may hold them any more.
  absl::Status Unpin() const;

 private:
  Place(TempDir folder, std::string pin_root)
      : folder_(std::move(folder)), pin_root_(std::move(pin_root)) {}

  TempDir folder_;
  std::string pin_root_;
  std::vector<std::string> options_;
};

// Removes the pins of tests that were killed before they could.
absl::Status RemoveLeftovers();

}  // namespace kvmsentry
