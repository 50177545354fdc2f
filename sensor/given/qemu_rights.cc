// What QEMU's command line says of privileges and of migration.
#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "sensor/given/qemu.h"
#include "sensor/given/shown_text.h"

namespace kvmsentry {
namespace {

constexpr size_t kMaxFeatures = 64;

bool IsOn(absl::string_view value) { return !value.empty() && ParseFlag(value).value_or(true); }

// -cpu: "host,-vmx", "Skylake,vmx=on,hv-relaxed=on", "qemu64,+svm,hv_time". Features are properties
// with '_' as good as '-'; a sign wins over a property (target/i386/cpu.c).
void ReadCpu(absl::string_view text, given::Privileges* privileges) {
  const KeyValues cpu = KeyValues::OfQemu(text, "model");
  std::optional<bool> nesting, by_sign;
  std::vector<std::string> hyperv;
  for (const auto& [raw_key, value] : cpu.items()) {
    std::string key = absl::StrReplaceAll(raw_key, {{"_", "-"}});
    bool sign = false, on = IsOn(value);
    if (absl::StartsWith(key, "+") || absl::StartsWith(key, "-")) {
      sign = true;
      on = key[0] == '+';
      key.erase(0, 1);
    }
    if (key == "vmx" || key == "svm") (sign ? by_sign : nesting) = on;
    if (on && absl::StartsWith(key, "hv-") && hyperv.size() < kMaxFeatures) {
      hyperv.push_back(ShownText(key));
    }
  }
  std::ranges::sort(hyperv);
  privileges->hyperv = {std::move(hyperv), FactOrigin::kArgv};
  if (by_sign) nesting = by_sign;
  if (nesting) {
    privileges->nesting = {*nesting, FactOrigin::kArgv};
  } else {
    privileges->nesting = {};  // "host", "max" and named models have it or not as the host does
  }
}

void ReadSandbox(absl::string_view text, given::Privileges* privileges) {
  const KeyValues sandbox = KeyValues::OfQemu(text, "enable");
  if (!IsOn(sandbox.Get("enable"))) {
    privileges->sandbox = {"off", FactOrigin::kArgv};
    return;
  }
  std::string shown = "on";
  for (const char* part : {"obsolete", "elevateprivileges", "spawn", "resourcecontrol"}) {
    if (sandbox.Has(part)) absl::StrAppend(&shown, ",", part, "=", sandbox.Get(part));
  }
  privileges->sandbox = {ShownText(shown), FactOrigin::kArgv};
}

// "migration.x-postcopy-ram=on" among -global's.
void ReadGlobal(absl::string_view text, std::vector<std::string>* capabilities) {
  constexpr absl::string_view kPrefix = "migration.";
  const KeyValues global = KeyValues::OfQemu(text, "");
  const bool by_keys = global.Get("driver") == "migration";
  for (const auto& [key, value] : global.items()) {
    absl::string_view name = key;
    if (by_keys ? key != "property" : !absl::StartsWith(name, kPrefix)) continue;
    const std::string& state = by_keys ? global.Get("value") : value;
    name = by_keys ? absl::string_view(value) : name.substr(kPrefix.size());
    if (IsOn(state) && capabilities->size() < kMaxFeatures) {
      capabilities->push_back(ShownText(name));
    }
  }
}

}  // namespace

void AddQemuRights(const QemuLine& line, Given* given) {
  given::Privileges& privileges = given->privileges;
  given::Migration& migration = given->migration;
  privileges.sandbox = {"off", FactOrigin::kDefault};
  privileges.hyperv = {std::vector<std::string>(), FactOrigin::kDefault};
  migration.incoming = {"none", FactOrigin::kDefault};
  migration.only_migratable = {false, FactOrigin::kDefault};
  std::vector<std::string> capabilities;
  for (const auto& [name, value] : line.options) {
    if (name == "cpu") {
      ReadCpu(value, &privileges);
    } else if (name == "sandbox") {
      ReadSandbox(value, &privileges);
    } else if (name == "runas") {
      privileges.run_as = {ShownText(value), FactOrigin::kArgv};
    } else if (name == "chroot") {
      privileges.chroot = {ShownPath(value), FactOrigin::kArgv};
    } else if (name == "run-with") {
      const KeyValues with = KeyValues::OfQemu(value, "");
      if (with.Has("user")) privileges.run_as = {ShownText(with.Get("user")), FactOrigin::kArgv};
      if (with.Has("chroot"))
        privileges.chroot = {ShownPath(with.Get("chroot")), FactOrigin::kArgv};
    } else if (name == "incoming") {
      migration.incoming = {ShownText(value), FactOrigin::kArgv};
    } else if (name == "only-migratable") {
      migration.only_migratable = {true, FactOrigin::kArgv};
    } else if (name == "global") {
      ReadGlobal(value, &capabilities);
    }
  }
  // Others may be switched on through a monitor.
  migration.capabilities = {std::move(capabilities), FactOrigin::kArgv};
  privileges.run_as.Offer({"", FactOrigin::kDefault});
  privileges.chroot.Offer({"", FactOrigin::kDefault});
}

}  // namespace kvmsentry
