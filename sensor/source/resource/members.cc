#include "sensor/source/resource/members.h"

#include <array>

#include "sensor/source/resource/progress.h"

namespace kvmsentry {
namespace {

constexpr auto Name(VcpuProgress state, absl::string_view name) {
  return NamedMember{static_cast<uint64_t>(state), name};
}

constexpr std::array kStates = {
    Name(VcpuProgress::kRunning, "running"), Name(VcpuProgress::kWaiting, "waiting"),
    Name(VcpuProgress::kHalted, "halted"),   Name(VcpuProgress::kPaused, "paused"),
    Name(VcpuProgress::kStuck, "stuck"),     Name(VcpuProgress::kBlocked, "blocked"),
    Name(VcpuProgress::kStopped, "stopped"),
};

std::span<const NamedMember> States() { return kStates; }

}  // namespace

constinit const MemberKind kVcpuState = {
    .key = "vcpu_state",
    .noun = "vCPU state",
    .largest = static_cast<uint64_t>(VcpuProgress::kStopped),
    .number = NumberFormat::kDecimal,
    .names = States,
    .hint = "running, waiting, halted, paused, stuck, blocked or stopped"};

constinit const MemberKind kTaker = {
    .key = "taker", .noun = "taker", .hint = "vm:web-*", .type = MemberType::kText};

}  // namespace kvmsentry
