// Reads the layers of the spec library from their folders. Blocks; keeps nothing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "sensor/base/status.h"
#include "sensor/rpc/sensor_view.h"
#include "sensor/rpc/spec_control.h"
#include "sensor/spec/library.h"

namespace kvmsentry {

struct SpecFolders {
  std::string shipped;
  std::string site;  // need not be there; empty: there is no site's layer
};

struct LoadedLibrary {
  std::shared_ptr<const SpecLibrary> library;  // nullptr: there is an error among the problems
  std::string sha256;
  std::vector<Problem> problems;
};

// Fails where a folder or file cannot be read.
absl::StatusOr<LoadedLibrary> LoadLibrary(const SpecFolders& folders);
// As it would be if FILES were all that the site's folder holds.
absl::StatusOr<LoadedLibrary> LoadLibrary(const SpecFolders& folders,
                                          const std::vector<SiteFile>& files);

// The errors, or the warnings, as `kvmsentry spec lint` prints them, escaped.
std::vector<std::string> TextsOf(const std::vector<Problem>& problems, bool warnings);

// The first of the errors, and how many more there are.
std::string ErrorsInShort(const std::vector<Problem>& problems);

// Of a library without errors.
LibraryView ViewOf(const LoadedLibrary& loaded, absl::Time at);

// Of the names and texts of all files, in their order: in hexadecimal digits.
std::string Sha256Of(const SpecLayers& layers);

}  // namespace kvmsentry
