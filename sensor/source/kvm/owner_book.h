// What user space says of whose things are, and what of it the kernel's map has yet to hear. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "bpf/kvm/records.h"
#include "sensor/source/source.h"

namespace kvmsentry {

struct OwnedThing {
  ks_owner_kind kind = KS_OWNER_PROCESS;  // not KS_OWNER_MM
  uint64_t id = 0;                        // of a file the device that it is, or lies on
  uint64_t within = 0;         // of a file its inode, of an interface its network namespace
  ks_role role = KS_ROLE_OWN;  // what it is used for, not what it is
  // Tells one whose number is used again: when a process began, a file's generation; 0: not known.
  uint64_t incarnation = 0;

  friend bool operator==(const OwnedThing& a, const OwnedThing& b) {
    return a.Identity() == b.Identity();
  }
  friend auto operator<=>(const OwnedThing& a, const OwnedThing& b) {
    return a.Identity() <=> b.Identity();
  }

 private:
  std::tuple<ks_owner_kind, uint64_t, uint64_t> Identity() const { return {kind, id, within}; }
};

// What of the things that the inventory has found is the VM's alone, as far as one process holds
// it. Not the root's cgroup, which is everybody's.
std::vector<OwnedThing> ThingsOf(const VmFacts& facts, const DeviceList& devices);

// The folders that the VM's own processes share with its guest: what lies below is the guest's to
// use. Not those of helpers, who open the files of these themselves.
std::vector<OwnedThing> FoldersOf(const Given& given);

// Images that its command line or its manager declares as shared with other VMs, as FileText() has
// them.
std::set<std::string> SharedDisksOf(const Given& given);
// Gives those of THINGS that are such images that role.
void MarkShared(const std::set<std::string>& shared, std::vector<OwnedThing>* things);

// The processes that help the VMM, each with what it is there for; kMaxOwnedHelpers at most.
inline constexpr size_t kMaxOwnedHelpers = 8;
std::vector<OwnedThing> HelpersOf(const Given& given);

// A thing may be of several VMs: then it is of none of them alone. A process that is one VM's own
// and helps others is that VM's.
class OwnerBook {
 public:
  // From now on THINGS, and nothing else, are of VM; empty: it is gone.
  void Say(const VmPlace& vm, const std::vector<OwnedThing>& things);

  struct Change {
    OwnedThing thing;
    ks_owner owner = {};  // serial 0: it is nobody's any more
    friend bool operator==(const Change& a, const Change& b) {
      return a.thing == b.thing && a.owner.serial == b.owner.serial &&
             a.owner.slot == b.owner.slot && a.owner.several == b.owner.several &&
             a.owner.role == b.owner.role && a.owner.incarnation == b.owner.incarnation;
    }
  };
  // Where what was said differs from what the map holds as far as Done() told.
  std::vector<Change> Changes() const;
  // The map holds CHANGE. One that it refused stays due.
  void Done(const Change& change);

 private:
  ks_owner OwnerOf(const OwnedThing& thing) const;

  std::map<VmId, std::set<OwnedThing>> said_;
  struct Use {
    Slot slot = 0;
    ks_role role = KS_ROLE_OWN;
    uint64_t incarnation = 0;
    friend bool operator==(const Use&, const Use&) = default;
  };
  std::map<OwnedThing, std::map<VmId, Use>> owners_;
  std::map<OwnedThing, ks_owner> held_;  // by the map
  std::set<OwnedThing> changed_;         // those that may differ
};

}  // namespace kvmsentry
