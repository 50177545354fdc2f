#include "sensor/cli/output_options.h"

namespace kvmsentry {

void AddJson(CLI::App& command, bool& json) {
  command.add_flag("--json", json, "One JSON object a line, for programs");
}

void AddWide(CLI::App& command, bool& wide, const char* what) {
  command.add_flag("--wide", wide, what)->excludes(command.get_option("--json"));
}

}  // namespace kvmsentry
