// The layers of a library: the specs that ship, and what a site adds to them, disables and
// overrides.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/base/status.h"

namespace kvmsentry {

// Where they are installed.
inline constexpr char kShippedSpecs[] = "/usr/share/kvmsentry/specs";
inline constexpr char kSiteSpecs[] = "/etc/kvmsentry/specs.d";

enum class Layer : uint8_t { kShipped, kSite };

// A place in a file; line and column as in Problem.
struct FilePlace {
  std::string file;
  int line = 0;
  int column = 0;
  friend bool operator==(const FilePlace&, const FilePlace&) = default;
};
std::string ToString(const FilePlace& place);  // "FILE:LINE:COLUMN"

// One field of a spec that a site overrides. Values are as a spec file writes them.
struct FieldChange {
  std::string field;   // "severity"
  std::string before;  // empty: the spec had none; of `except` and `allow`, which are added, always
  std::string after;
  FilePlace at;
  friend bool operator==(const FieldChange&, const FieldChange&) = default;
};

// Where a spec comes from.
struct Origin {
  Layer layer = Layer::kShipped;
  FilePlace at;                      // of the spec
  std::vector<FieldChange> changes;  // in the order of the schema's fields
  std::vector<FilePlace> except_at;  // of each of the spec's exceptions
};

// A spec that a site disables.
struct DisabledSpec {
  std::string id;
  Layer layer = Layer::kShipped;  // of the spec
  FilePlace at;                   // where it is disabled
  FilePlace spec_at;
};

// A text to be read as a SpecFile.
struct SpecSource {
  std::string file;  // for messages
  std::string text;
};

struct SpecLayers {
  std::vector<SpecSource> shipped;
  std::vector<SpecSource> site;
};

// The *.textproto files of DIR (not of its subfolders), ordered by name. Fails if DIR cannot be
// read, holds none, or a file is larger than 1 MiB.
absl::StatusOr<std::vector<SpecSource>> ReadSpecFolder(const std::filesystem::path& dir);

// The same of the folder of the shipped specs. NOT_FOUND names the option that says where it is.
absl::StatusOr<std::vector<SpecSource>> ReadShippedFolder(const std::filesystem::path& dir);

// The same of a site's folder, which may be missing or hold none. Empty DIR: there is none.
absl::StatusOr<std::vector<SpecSource>> ReadSiteFolder(const std::filesystem::path& dir);

// PATH alone where it is a file, else as ReadSpecFolder.
absl::StatusOr<std::vector<SpecSource>> ReadSpecs(const std::filesystem::path& path);

// Whether a file by this NAME, without its folder, is read as a spec file.
bool IsSpecFileName(absl::string_view name);

}  // namespace kvmsentry
