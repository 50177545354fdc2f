// Whether this is a build with a sanitizer, whose runtime does with a process what a confined one
// may not: stop its threads by ptrace, for one.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KVMSENTRY_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KVMSENTRY_SANITIZED 1
#endif
#endif

namespace kvmsentry {

#ifdef KVMSENTRY_SANITIZED
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace kvmsentry
