// Where the programs of an object note their first run (bpf/common.bpf.h, KS_FIRED).
#pragma once

#include <cstdint>
#include <map>
#include <string>

struct bpf_object;

namespace kvmsentry {

struct FiredBytes {
  int map = -1;  // that holds the bytes, owned by the object; negative: no program notes anything
  uint32_t size = 0;
  std::map<std::string, uint32_t, std::less<>> offsets;  // by program
};

// Of OBJECT, which is loaded.
FiredBytes FiredBytesOf(const bpf_object& object);

}  // namespace kvmsentry
