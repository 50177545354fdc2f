// The command lines of VMMs other than QEMU, and Firecracker's configuration. What the options mean
// is from each project's own documentation and sources. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/given/given.h"

namespace kvmsentry {

// An option and the words behind it that are no option.
struct LongOption {
  std::string name;  // with its dashes
  std::vector<std::string> values;
};

// "--name VALUE VALUE", "--name=VALUE", "-n VALUE". What stands before the first is of "".
std::vector<LongOption> SplitLongOptions(std::span<const std::string> args);

// Each takes ARGS without the program.

// cloud-hypervisor/src/main.rs, vmm/src/config.rs. What is configured through the API socket is not
// known.
Given GivenByCloudHypervisor(std::span<const std::string> args);

// firecracker/src/firecracker/src/main.rs.
Given GivenByFirecracker(std::span<const std::string> args);
// The file that --config-file names; "" where there is none.
std::string FirecrackerConfigFile(std::span<const std::string> args);
// CONTENT of it adds to GIVEN; a file that is no JSON is a gap.
void AddFirecrackerConfig(absl::string_view content, Given* given);

// crosvm's src/crosvm/cmdline.rs.
Given GivenByCrosvm(std::span<const std::string> args);

}  // namespace kvmsentry
