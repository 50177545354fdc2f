// docs/hooks.md, written from the hooks themselves.
#pragma once

#include <string>

namespace kvmsentry {

std::string HooksPage();

}  // namespace kvmsentry
