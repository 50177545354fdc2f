// Who starts a VMM chooses its VM's name, and may choose that of another VM. No two VMs that live
// have one name: the first to come has NAME, the others NAME#2, NAME#3, ...; a name that is chosen
// to look like one of these, "NAME#2", always gets a number of its own: "NAME#2#1". So a name that
// ends in #N was numbered here, and cutting that off gives the chosen one.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace kvmsentry {

// Pure. Not thread safe.
class UniqueNames {
 public:
  // CHOSEN with the lowest number that is free.
  std::string Take(const std::string& chosen);

  // Frees a name that Take() gave for CHOSEN.
  void Release(const std::string& chosen, const std::string& name);

 private:
  std::map<std::string, std::set<uint32_t>> numbers_;
};

}  // namespace kvmsentry
