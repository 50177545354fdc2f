#pragma once

namespace kvmsentry {

// Where benchmarks pin their maps: whoever uses it removes them.
inline constexpr char kPinRoot[] = "/sys/fs/bpf/kvmsentry-bench";

}  // namespace kvmsentry
