#include "sensor/given/facts.h"

#include <algorithm>
#include <map>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "sensor/given/merge.h"

namespace kvmsentry {
namespace {

constexpr absl::string_view kNoSpace = "no-space";

TextFact TextOf(const Fact<FileId>& file) {
  return file.known() ? TextFact(FileText(*file.value), file.origin) : TextFact();
}

class Part {
 public:
  explicit Part(std::string kind, std::string id = "")
      : part_{std::move(kind), std::move(id), {}} {}

  template <typename T>
  Part& Has(const char* name, const Fact<T>& fact) {
    NamedFact& named = part_.facts.emplace_back();
    named.name = name;
    named.origin = fact.origin;
    if (fact.known()) named.value = *fact.value;
    return *this;
  }
  Part& HasBytes(const char* name, const NumberFact& fact) {
    Has(name, fact);
    part_.facts.back().bytes = true;
    return *this;
  }
  GivenPart Take() { return std::move(part_); }

 private:
  GivenPart part_;
};

GivenPart PartOf(const given::Disk& disk) {
  return Part("disk", disk.id)
      .Has("path", disk.path)
      .Has("file", disk.file)
      .HasBytes("size", disk.size)
      .Has("format", disk.format)
      .Has("backing", disk.backing)
      .Has("cache", disk.cache)
      .Has("read-only", disk.read_only)
      .Has("shared", disk.shared)
      .Has(kNoSpace.data(), disk.no_space)
      .Take();
}

GivenPart PartOf(const given::Interface& interface) {
  return Part("interface", interface.id)
      .Has("kind", interface.kind)
      .Has("device", interface.device)
      .Has("bridge", interface.bridge)
      .Has("model", interface.model)
      .Has("mac", interface.mac)
      .Has("addresses", interface.addresses)
      .Has("socket", interface.socket)
      .Has("vhost", interface.vhost)
      .Take();
}

GivenPart PartOf(const given::SharedFolder& folder) {
  return Part("folder", folder.id)
      .Has("kind", folder.kind)
      .Has("path", folder.path)
      .Has("file", TextOf(folder.root))
      .Has("read-only", folder.read_only)
      .Has("security", folder.security)
      .Has("socket", folder.socket)
      .Take();
}

GivenPart PartOf(const given::HostDevice& device) {
  return Part("device", device.id).Has("kind", device.kind).Has("place", device.place).Take();
}

GivenPart PartOf(const given::Monitor& monitor) {
  return Part("monitor").Has("kind", monitor.kind).Has("place", monitor.place).Take();
}

GivenPart PartOf(const given::MemoryBacking& backing) {
  return Part("memory-backing", backing.id)
      .Has("kind", backing.kind)
      .Has("path", backing.path)
      .Has("file", backing.file)
      .HasBytes("size", backing.size)
      .Has("shared", backing.shared)
      .Take();
}

GivenPart PartOf(const given::Memory& memory) {
  return Part("memory")
      .HasBytes("size", memory.size)
      .HasBytes("max", memory.max)
      .HasBytes("mapped", memory.mapped)
      .Has("slots", memory.slots)
      .Take();
}

GivenPart PartOf(const given::Cpus& cpus) {
  return Part("cpus")
      .Has("start", cpus.start)
      .Has("max", cpus.max)
      .Has("created", cpus.created)
      .Take();
}

GivenPart PartOf(const given::Window& window) {
  const std::string range = window.first == window.last
                                ? absl::StrFormat("%#x", window.first)
                                : absl::StrFormat("%#x-%#x", window.first, window.last);
  return Part("window", window.device)
      .Has(window.ports ? "ports" : "addresses", TextFact(range, window.origin))
      .Take();
}

GivenPart PartOf(const given::Migration& migration) {
  return Part("migration")
      .Has("incoming", migration.incoming)
      .Has("capabilities", migration.capabilities)
      .Has("only-migratable", migration.only_migratable)
      .Take();
}

GivenPart PartOf(const given::Privileges& privileges) {
  return Part("privileges")
      .Has("nesting", privileges.nesting)
      .Has("hyper-v", privileges.hyperv)
      .Has("sandbox", privileges.sandbox)
      .Has("run-as", privileges.run_as)
      .Has("chroot", privileges.chroot)
      .Has("uid", privileges.uid)
      .Has("filtered", privileges.filtered)
      .Has("no-new-privs", privileges.no_new_privs)
      .Has("capabilities", privileges.capabilities)
      .Has("label", privileges.label)
      .Has("namespaces", privileges.namespaces)
      .Take();
}

GivenPart PartOf(const given::Helper& helper) {
  return Part("helper", helper.id).Has("pid", helper.pid).Has("reason", helper.reason).Take();
}

GivenPart PartOf(const given::Manager& manager, const TextFact& machine, const TextFact& program) {
  return Part("vm")
      .Has("program", program)
      .Has("machine", machine)
      .Has("manager", manager.kind)
      .Has("domain", manager.domain)
      .Has("namespace", manager.name_space)
      .Has("pod", manager.pod)
      .Take();
}

template <typename T>
void AddAll(const std::vector<T>& all, std::vector<GivenPart>* parts) {
  for (const T& each : all) parts->push_back(PartOf(each));
}

std::string NameOf(const GivenPart& part) {
  return part.id.empty() ? part.kind : absl::StrCat(part.kind, " ", part.id);
}

// By name; of several with the same name, by their order.
std::map<std::pair<std::string, int>, const GivenPart*> ByName(
    const std::vector<GivenPart>& parts) {
  std::map<std::string, int> seen;
  std::map<std::pair<std::string, int>, const GivenPart*> named;
  for (const GivenPart& part : parts) {
    const std::string name = NameOf(part);
    named.emplace(std::pair(name, seen[name]++), &part);
  }
  return named;
}

}  // namespace

std::vector<GivenPart> PartsOf(const Given& given) {
  std::vector<GivenPart> parts;
  parts.push_back(PartOf(given.manager, given.machine, given.program));
  parts.push_back(PartOf(given.cpus));
  parts.push_back(PartOf(given.memory));
  AddAll(given.memory.backing, &parts);
  AddAll(given.disks, &parts);
  AddAll(given.interfaces, &parts);
  AddAll(given.folders, &parts);
  AddAll(given.devices, &parts);
  AddAll(given.monitors, &parts);
  AddAll(given.windows, &parts);
  parts.push_back(PartOf(given.migration));
  parts.push_back(PartOf(given.privileges));
  AddAll(given.helpers, &parts);
  return parts;
}

std::vector<std::string> ChangesBetween(const Given& before, const Given& after, size_t max_texts) {
  const std::vector<GivenPart> old_parts = PartsOf(before), new_parts = PartsOf(after);
  const auto old_named = ByName(old_parts), new_named = ByName(new_parts);
  std::vector<std::string> changes;
  for (const auto& [name, part] : old_named) {
    if (!new_named.contains(name)) changes.push_back(absl::StrCat(name.first, " was removed"));
  }
  for (const auto& [name, part] : new_named) {
    const auto old = old_named.find(name);
    if (old == old_named.end()) {
      changes.push_back(absl::StrCat(name.first, " was added"));
      continue;
    }
    for (size_t i = 0; i < part->facts.size(); ++i) {
      if (part->facts[i].value == old->second->facts[i].value) continue;
      if (part->facts[i].name == kNoSpace) continue;  // comes and goes with what others write
      changes.push_back(absl::StrCat(name.first, ": ", part->facts[i].name, " changed"));
    }
  }
  if (changes.size() > max_texts && max_texts > 0) {
    const size_t more = changes.size() - (max_texts - 1);
    changes.resize(max_texts - 1);
    changes.push_back(absl::StrCat("and ", more, " more"));
  }
  return changes;
}

}  // namespace kvmsentry
