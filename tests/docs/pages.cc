#include "tests/docs/pages.h"

#include <fstream>
#include <iterator>
#include <vector>

#include "sensor/spec/readme.h"
#include "tests/docs/alert_example.h"
#include "tests/docs/attacks_page.h"
#include "tests/docs/hooks_page.h"
#include "tests/scenario/proofs.h"

namespace kvmsentry {

std::string ContentOf(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

absl::StatusOr<std::map<std::string, std::string>> Pages(const std::string& root) {
  KVMSENTRY_ASSIGN_OR_RETURN(const SpecLibrary library, SpecLibrary::Load(root + "/specs"));
  KVMSENTRY_ASSIGN_OR_RETURN(const auto scenarios,
                             scenario::ReadFolder(root + "/tests/scenario/scenarios"));
  std::vector<std::string> ids;
  for (const Spec& spec : library.specs()) ids.push_back(spec.id);
  const auto times = ParseAlertTimes(ContentOf(root + "/tests/scenario/alert_times.txt"));
  KVMSENTRY_ASSIGN_OR_RETURN(const std::string clients,
                             WithAlertExample(ContentOf(root + "/docs/clients.md"), library));
  return std::map<std::string, std::string>{
      {"docs/clients.md", clients},
      {"docs/hooks.md", HooksPage()},
      {"docs/attacks.md", AttacksPage(scenarios, library, times)},
      {"specs/README.md", WithTables(ContentOf(root + "/specs/README.md"), library,
                                     scenario::ProofsOf(scenarios, ids))}};
}

}  // namespace kvmsentry
