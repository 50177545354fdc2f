// Where on the network a VMM was told to connect. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/given/given.h"

namespace kvmsentry {

// "192.0.2.1:10809", "[2001:db8::1]:3260"; "*:10809" of a host that is given by its name. Of the
// disks and interfaces that the VMM was told at its start, or that its manager says: what it opened
// later is no leave to do more.
std::vector<std::string> RemotesOf(const Given& given);

// Whether CONNECTION, an address and a port, is one of REMOTES.
bool IsAmong(const std::vector<std::string>& remotes, absl::string_view connection);

}  // namespace kvmsentry
