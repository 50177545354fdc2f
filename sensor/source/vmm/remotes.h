// Where on the network a VMM was told to connect. Pure.
#pragma once

#include <string>
#include <vector>

#include "sensor/given/given.h"

namespace kvmsentry {

// "192.0.2.1:10809", "[2001:db8::1]:3260": of the disks and interfaces of the VMM's command line,
// for what it opened later is no leave to do more. Not of servers that are given by their names:
// those would explain a connection to any address.
std::vector<std::string> RemotesOf(const Given& given);

}  // namespace kvmsentry
