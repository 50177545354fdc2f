// What a VM has, against what it was given: pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sensor/given/given.h"

namespace kvmsentry {

// Who runs it: "uid 107 /usr/bin/qemu-system-x86_64"; empty while that is not known.
std::string RunnerOf(const Given& given);

// Who manages it: "libvirt"; empty where nobody is known to.
std::string ManagerOf(const Given& given);

// Devices of the host that it has open, and that neither its command line nor its manager tells of.
// None of a VMM whose command line is not understood, for it says nothing then.
std::vector<std::string> UndeclaredOf(const Given& given);

// The files that its memory lies in, each by what it is on the host ("0:1 inode 42"), and what it
// is called.
std::map<std::string, std::string> MemoryFilesOf(const Given& given);

// Raw images that are larger than when they were first seen, by their paths. A guest writes within
// its disk, whose size is the image's. FIRST keeps the sizes, by what the files are on the host. Of
// other formats the size says nothing: they grow.
std::vector<std::string> GrownOf(const Given& given, std::map<std::string, uint64_t>* first);

// Monitors that listen on the network, which ask nobody who he is: "qmp tcp:127.0.0.1:4444".
std::vector<std::string> NetworkMonitorsOf(const Given& given);

// Images that may have to grow on a file system that is full, by their paths.
std::vector<std::string> ImagesWithoutSpace(const Given& given);

// What the process of NOW may, and that of FIRST might not. Rights that were given up are none. Of
// labels of a security module and of namespaces nothing says which of two is the stricter: another
// one counts as gained, but a label where there was none ("unconfined"), or one that is now
// enforced.
std::vector<std::string> GainedSince(const given::Privileges& first, const given::Privileges& now);

// Takes from FIRST the rights that the process of NOW has given up: a VMM that begins as root and
// lays that down must not get it back unseen. Labels and namespaces stay.
void GiveUp(const given::Privileges& now, given::Privileges* first);

}  // namespace kvmsentry
