// A part of a test as another user.
#pragma once

#include <functional>

#include <sys/types.h>

namespace kvmsentry {

// A user that no host has.
inline constexpr uid_t kSomebody = 54321;

// Runs WHAT as UID, in the group root and no other, in a thread of its own: what it connects
// belongs to that user. Needs root.
void AsUser(uid_t uid, const std::function<void()>& what);

}  // namespace kvmsentry
