// Files that must be there after a loss of power. All block.
#pragma once

#include <string>

#include <sys/types.h>

#include "absl/strings/string_view.h"

#include "sensor/base/status.h"

namespace kvmsentry {

enum class IfThere { kFail, kReplace };

// Makes the file PATH with TEXT and exactly this MODE, on disk when it returns; its name is so once
// its folder was given to Sync(). IF_THERE says what becomes of a file of that name.
absl::Status WriteDurably(const std::string& path, absl::string_view text, mode_t mode,
                          IfThere if_there);

// PATH, a file or a folder, is on disk when it returns.
absl::Status Sync(const std::string& path);

}  // namespace kvmsentry
