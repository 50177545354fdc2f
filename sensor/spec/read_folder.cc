#include <algorithm>
#include <fstream>
#include <system_error>

#include "absl/strings/str_cat.h"

#include "sensor/base/escape.h"
#include "sensor/spec/library.h"
#include "sensor/spec/parse.h"

namespace kvmsentry {
namespace {

constexpr size_t kMaxFiles = 1000;

// Names with a '.' first are editors' and mounts' own business.
bool IsSpecFile(const std::filesystem::path& path) {
  return path.extension() == ".textproto" && path.filename().native().front() != '.';
}

absl::StatusOr<SpecSource> ReadSpecFile(const std::filesystem::path& path) {
  const std::string name = Escape(path.native(), 4096);
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": is not a regular file"));
  }
  std::ifstream stream(path, std::ios::binary);
  std::string text(kMaxSpecFileBytes + 1, '\0');
  if (stream) stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!stream && !stream.eof()) {
    return absl::UnavailableError(absl::StrCat(name, ": can't be read; check its permissions"));
  }
  text.resize(static_cast<size_t>(stream.gcount()));
  if (text.size() > kMaxSpecFileBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": is larger than 1 MiB; split it into several files"));
  }
  return SpecSource{name, std::move(text)};
}

}  // namespace

absl::StatusOr<std::vector<SpecSource>> ReadSpecFolder(const std::filesystem::path& dir) {
  const std::string name = Escape(dir.native(), 4096);
  std::error_code error;
  std::filesystem::directory_iterator entries(dir, error);
  if (error) {
    return absl::NotFoundError(
        absl::StrCat("spec folder ", name, " can't be read: ", error.message()));
  }
  std::vector<std::filesystem::path> paths;
  while (!error && entries != std::filesystem::directory_iterator()) {
    if (IsSpecFile(entries->path())) paths.push_back(entries->path());
    if (paths.size() > kMaxFiles) {
      return absl::InvalidArgumentError(
          absl::StrCat("spec folder ", name, " holds more than ", kMaxFiles, " spec files"));
    }
    entries.increment(error);
  }
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("spec folder ", name, " can't be read: ", error.message()));
  }
  if (paths.empty()) {
    return absl::NotFoundError(absl::StrCat("spec folder ", name, " holds no *.textproto file"));
  }
  std::ranges::sort(paths);
  std::vector<SpecSource> sources;
  for (const auto& path : paths) {
    KVMSENTRY_ASSIGN_OR_RETURN(SpecSource source, ReadSpecFile(path));
    sources.push_back(std::move(source));
  }
  return sources;
}

}  // namespace kvmsentry
