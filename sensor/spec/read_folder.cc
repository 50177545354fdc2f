#include <algorithm>
#include <fstream>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "sensor/base/escape.h"
#include "sensor/spec/library.h"
#include "sensor/spec/parse.h"

namespace kvmsentry {
namespace {

constexpr size_t kMaxFiles = 1000;
constexpr absl::string_view kSuffix = ".textproto";

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

// Of DIR, which may hold none.
absl::StatusOr<std::vector<SpecSource>> ReadFiles(const std::filesystem::path& dir) {
  const std::string name = Escape(dir.native(), 4096);
  std::error_code error;
  std::filesystem::directory_iterator entries(dir, error);
  if (error) {
    return absl::NotFoundError(
        absl::StrCat("spec folder ", name, " can't be read: ", error.message()));
  }
  std::vector<std::filesystem::path> paths;
  while (!error && entries != std::filesystem::directory_iterator()) {
    if (IsSpecFileName(entries->path().filename().native())) paths.push_back(entries->path());
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
  std::ranges::sort(paths);
  std::vector<SpecSource> sources;
  for (const auto& path : paths) {
    KVMSENTRY_ASSIGN_OR_RETURN(SpecSource source, ReadSpecFile(path));
    sources.push_back(std::move(source));
  }
  return sources;
}

}  // namespace

// Names with a '.' first are editors' and mounts' own business.
bool IsSpecFileName(absl::string_view name) {
  return name.size() > kSuffix.size() && name.front() != '.' && absl::EndsWith(name, kSuffix);
}

absl::StatusOr<std::vector<SpecSource>> ReadSpecFolder(const std::filesystem::path& dir) {
  KVMSENTRY_ASSIGN_OR_RETURN(std::vector<SpecSource> sources, ReadFiles(dir));
  if (!sources.empty()) return sources;
  return absl::NotFoundError(
      absl::StrCat("spec folder ", Escape(dir.native(), 4096), " holds no *.textproto file"));
}

absl::StatusOr<std::vector<SpecSource>> ReadShippedFolder(const std::filesystem::path& dir) {
  absl::StatusOr<std::vector<SpecSource>> sources = ReadSpecFolder(dir);
  if (!absl::IsNotFound(sources.status())) return sources;
  return absl::NotFoundError(absl::StrCat(
      sources.status().message(), "; --specs DIR names another, in a checkout --specs specs"));
}

absl::StatusOr<std::vector<SpecSource>> ReadSiteFolder(const std::filesystem::path& dir) {
  std::error_code error;
  const auto type = std::filesystem::status(dir, error).type();
  if (dir.empty() || type == std::filesystem::file_type::not_found) {
    return std::vector<SpecSource>();
  }
  return ReadFiles(dir);
}

absl::StatusOr<std::vector<SpecSource>> ReadSpecs(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return ReadSpecFolder(path);
  KVMSENTRY_ASSIGN_OR_RETURN(SpecSource source, ReadSpecFile(path));
  return std::vector<SpecSource>{std::move(source)};
}

}  // namespace kvmsentry
