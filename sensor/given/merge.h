// What several places say of one VM, brought together. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/given/given.h"
#include "sensor/inventory/device.h"

namespace kvmsentry {

// What OTHER, of libvirt or the like, knows: it fills what GIVEN does not, and adds parts that
// GIVEN has not, for they were plugged later. Parts are the same if their ids are, or their paths
// or MACs.
void MergeDeclared(const Given& other, Given* given);

// One open file of a VMM, as its link in /proc reads.
struct FileLink {
  uint32_t fd = 0;
  std::string target;  // raw
  friend bool operator==(const FileLink&, const FileLink&) = default;
};

// Of an open image, in bytes.
struct ImageSpace {
  uint64_t holes = 0;   // of its size, what its file system has no blocks for yet
  uint64_t left = 0;    // what the VMM may still write to that file system
  bool copies = false;  // what is written lies elsewhere than what it replaces, as on btrfs
};

// What is found of a VMM on the host.
struct Found {
  DeviceList devices;
  std::vector<FileLink> files;
  // The path of a unix socket, raw; "" where it has none or it is not known.
  std::function<std::string(uint64_t inode)> socket_of = [](uint64_t) { return ""; };
  // The bridge that an interface is in; "" where there is none or it is not known.
  std::function<std::string(const Device& tap)> bridge_of = [](const Device&) { return ""; };
  // nullopt where it is not known.
  std::function<std::optional<ImageSpace>(const Device& image)> space_of = [](const Device&) {
    return std::nullopt;
  };
  // Where a path of the VMM leads; nullopt where that is not known.
  std::function<std::optional<FileId>(const std::string& path)> file_of = [](const std::string&) {
    return std::nullopt;
  };
  // The same of a folder.
  std::function<std::optional<FileId>(const std::string& path)> folder_of = [](const std::string&) {
    return std::nullopt;
  };
};

// Puts names to what the command line hands over as descriptors, and adds disks, taps and devices
// of the host that nothing declared.
void MergeFound(const Found& found, Given* given);

// What the folders that GIVEN knows are on the host, as far as FOUND leads to folders there.
void FindFolders(const Found& found, Given* given);

// "8:1 inode 42" of an image, "7:0" of a block device.
std::string FileText(const FileId& file);

}  // namespace kvmsentry
