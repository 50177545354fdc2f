// Gives memory back to the kernel that a moment needed: the answer that lists a thousand VMs, or a
// walk over their files, and the C library kept.
#pragma once

namespace kvmsentry {

// Call it every few seconds; it does something only where much is free. It may hold the allocator's
// locks for some milliseconds. Thread safe.
void ReturnFreeMemory();

}  // namespace kvmsentry
