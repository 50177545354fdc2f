#include "sensor/daemon/spec_loader.h"

#include <algorithm>
#include <utility>

#include <openssl/evp.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_join.h"

#include "sensor/base/escape.h"

namespace kvmsentry {
namespace {

constexpr size_t kErrorsInShort = 3;

LoadedLibrary Parsed(const SpecLayers& layers) {
  SpecLibrary::Result result = SpecLibrary::Parse(layers);
  LoadedLibrary loaded{
      .library = nullptr, .sha256 = Sha256Of(layers), .problems = std::move(result.problems)};
  if (std::ranges::all_of(loaded.problems, &Problem::is_warning)) {
    loaded.library = std::make_shared<const SpecLibrary>(std::move(result.library));
  }
  return loaded;
}

}  // namespace

absl::StatusOr<LoadedLibrary> LoadLibrary(const SpecFolders& folders) {
  SpecLayers layers;
  KVMSENTRY_ASSIGN_OR_RETURN(layers.shipped, ReadShippedFolder(folders.shipped));
  KVMSENTRY_ASSIGN_OR_RETURN(layers.site, ReadSiteFolder(folders.site));
  return Parsed(layers);
}

absl::StatusOr<LoadedLibrary> LoadLibrary(const SpecFolders& folders,
                                          const std::vector<SiteFile>& files) {
  SpecLayers layers;
  KVMSENTRY_ASSIGN_OR_RETURN(layers.shipped, ReadShippedFolder(folders.shipped));
  for (const SiteFile& file : files) {
    layers.site.push_back({absl::StrCat(folders.site, "/", file.name), file.text});
  }
  std::ranges::sort(layers.site, {}, &SpecSource::file);
  return Parsed(layers);
}

std::vector<std::string> TextsOf(const std::vector<Problem>& problems, bool warnings) {
  std::vector<std::string> texts;
  for (const Problem& problem : problems) {
    if (problem.is_warning == warnings) texts.push_back(EscapeAgain(ToString(problem)));
  }
  return texts;
}

std::string ErrorsInShort(const std::vector<Problem>& problems) {
  std::vector<std::string> errors = TextsOf(problems, /*warnings=*/false);
  if (errors.size() <= kErrorsInShort) return absl::StrJoin(errors, "; ");
  const size_t more = errors.size() - kErrorsInShort;
  errors.resize(kErrorsInShort);
  return absl::StrCat(absl::StrJoin(errors, "; "), "; and ", more, " more");
}

LibraryView ViewOf(const LoadedLibrary& loaded, absl::Time at) {
  LibraryView view{.sha256 = loaded.sha256,
                   .loaded_at = at,
                   .shipped = 0,
                   .site = 0,
                   .overridden = 0,
                   .disabled = loaded.library->disabled(),
                   .refused = "",
                   .refused_at = {}};
  for (const Spec& spec : loaded.library->specs()) {
    const Origin& origin = loaded.library->OriginOf(spec.id);
    ++(origin.layer == Layer::kSite ? view.site : view.shipped);
    view.overridden += origin.changes.empty() ? 0U : 1U;
  }
  return view;
}

std::string Sha256Of(const SpecLayers& layers) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  const auto add = [&](const SpecSource& source, absl::string_view layer) {
    const std::string name = source.file.substr(source.file.rfind('/') + 1);
    // With its end, so that no text can pass for the next file's name.
    for (const std::string& part : {absl::StrCat(layer, name), source.text}) {
      const std::string length = absl::StrCat(part.size(), ":");
      EVP_DigestUpdate(context.get(), length.data(), length.size());
      EVP_DigestUpdate(context.get(), part.data(), part.size());
    }
  };
  for (const SpecSource& source : layers.shipped) add(source, "");
  for (const SpecSource& source : layers.site) add(source, "site/");
  EVP_DigestFinal_ex(context.get(), digest, &size);
  return absl::BytesToHexString({reinterpret_cast<const char*>(digest), size});
}

}  // namespace kvmsentry
