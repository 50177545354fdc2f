#include "sensor/source/vmm/acts.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>

#include <arpa/inet.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "sensor/base/escape.h"
#include "sensor/given/shown_text.h"
#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

constexpr char kNoPath[] = "-";  // of a socket that is abstract or unnamed, a file in memory

template <size_t kSize>
std::string TextOf(const char (&text)[kSize]) {
  return Escape({text, strnlen(text, kSize)}, kMaxMemberText);
}

// "192.0.2.1:443", "[2001:db8::1]:443".
absl::StatusOr<std::string> EndpointOf(const ks_vmm_act& act) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const auto family = static_cast<int>(act.family);
  if ((family != AF_INET && family != AF_INET6) ||
      inet_ntop(family, act.address, text.data(), text.size()) == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("record act: a connection of address family ", act.family));
  }
  const absl::string_view address(text.data());
  return family == AF_INET ? absl::StrCat(address, ":", act.port)
                           : absl::StrCat("[", address, "]:", act.port);
}

// Of the sets whose members are numbers: those that there are. 0: the act is in words.
uint32_t MembersOf(const ks_vmm_act& act) {
  switch (act.act) {
    case KS_ACT_CODE:
    case KS_ACT_CALL:
    case KS_ACT_SOCKET:
    case KS_ACT_SIGNAL:
    case KS_ACT_SLOT:
      return 64;
    case KS_ACT_REFUSED:
      return KS_VMM_SYSCALLS;
    default:
      return 0;
  }
}

absl::StatusOr<std::string> WordsOf(const ks_vmm_act& act) {
  switch (act.act) {
    case KS_ACT_PROGRAM:
    case KS_ACT_FOREIGN_IMAGE:
      return TextOf(act.text);
    case KS_ACT_FILE_READ:
    case KS_ACT_FILE_WRITTEN:
      if (act.text[0] == 0) return kNoPath;
      return absl::StrCat((act.cut & KS_CUT_BEGIN) != 0 ? "..." : "", TextOf(act.text),
                          (act.cut & KS_CUT_END) != 0 ? "..." : "");
    case KS_ACT_SERVICE:
      return act.text[0] == 0 ? std::string(kNoPath) : TextOf(act.text);
    case KS_ACT_CONNECTION:
    case KS_ACT_LISTENER:
    case KS_ACT_DATAGRAM:
      return EndpointOf(act);
    case KS_ACT_MEMORY_OPENED:
      return absl::StrCat(TextOf(act.actor), " ", TextOf(act.text));
    case KS_ACT_CLIENT:
      return absl::StrCat(TextOf(act.actor), " ",
                          act.text[0] == 0 ? std::string(kNoPath) : TextOf(act.text));
    case KS_ACT_ENTERED:
    case KS_ACT_DRIVEN:
    case KS_ACT_PAGER:
    case KS_ACT_IMAGE_READ:
    case KS_ACT_IMAGE_WRITTEN:
    case KS_ACT_IMAGE_CHANGED:
      return TextOf(act.actor);
    default:
      return absl::InvalidArgumentError(absl::StrCat("record act: there is no act ", act.act));
  }
}

// "sh: sh -c id (pid 42, uid 107); parents: qemu-system-x86_64, systemd".
std::string ByOf(const ks_vmm_act& act) {
  std::string arguments(act.arguments, std::min<size_t>(act.arguments_size, sizeof(act.arguments)));
  std::ranges::replace(arguments, '\0', ' ');
  std::string by = TextOf(act.actor);
  const absl::string_view shown = absl::StripTrailingAsciiWhitespace(arguments);
  if (!shown.empty()) absl::StrAppend(&by, ": ", ShownText(shown));
  absl::StrAppend(&by, " (pid ", act.tgid, ", uid ", act.uid, ")");
  const char* between = "; parents: ";
  for (const auto& parent : act.parents) {
    if (parent[0] == 0) break;
    absl::StrAppend(&by, std::exchange(between, ", "), TextOf(parent));
  }
  return by;
}

}  // namespace

FeatureId FeatureOfAct(ks_act act) {
  static const std::array<FeatureId, KS_ACTS> kFeatures = {
      FeatureNamed("vmm.program"),   FeatureNamed("vmm.connection"),
      FeatureNamed("vmm.listener"),  FeatureNamed("vmm.service"),
      FeatureNamed("vmm.entered"),   FeatureNamed("vmm.client"),
      FeatureNamed("image.reader"),  FeatureNamed("image.writer"),
      FeatureNamed("image.changer"), FeatureNamed("image.foreign"),
      FeatureNamed("memory.opened"), FeatureNamed("memory.pager"),
      FeatureNamed("vmm.file.read"), FeatureNamed("vmm.file.written"),
      FeatureNamed("vmm.datagram"),  FeatureNamed("vm.driver"),
      FeatureNamed("vmm.code"),      FeatureNamed("vmm.call"),
      FeatureNamed("vmm.socket"),    FeatureNamed("vmm.signal"),
      FeatureNamed("memory.slot"),   FeatureNamed("vmm.refused_call")};
  return kFeatures[act];
}

absl::StatusOr<Observation> DecodeAct(const ks_vmm_act& act) {
  if (act.source != KS_SOURCE_VMM) {
    return absl::InvalidArgumentError(absl::StrCat("record act: of source ", act.source));
  }
  Member member{.first = act.member, .by = ByOf(act)};
  if (const uint32_t members = MembersOf(act); members == 0) {
    KVMSENTRY_ASSIGN_OR_RETURN(member.text, WordsOf(act));
    member.first = 0;
  } else if (act.member >= members) {
    return absl::InvalidArgumentError(
        absl::StrCat("record act: act ", act.act, " has no member ", act.member));
  }
  Observation observation{.time = {static_cast<int64_t>(act.header.time_ns)},
                          .vm = {act.header.vm_serial},
                          .kind = ObservationKind::kMember,
                          .feature = FeatureOfAct(static_cast<ks_act>(act.act)),
                          .value = member.first};
  observation.member = std::make_shared<const Member>(std::move(member));
  return observation;
}

}  // namespace kvmsentry
