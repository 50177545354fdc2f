// The processes that a process has started.
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include <sys/types.h>

namespace kvmsentry {

// Of its first thread (proc(5), /proc/PID/task/TID/children).
inline std::vector<pid_t> ChildrenOf(pid_t pid) {
  const std::string process = "/proc/" + std::to_string(pid);
  std::ifstream file(process + "/task/" + std::to_string(pid) + "/children");
  std::vector<pid_t> children;
  for (pid_t child = 0; file >> child;) children.push_back(child);
  return children;
}

}  // namespace kvmsentry
