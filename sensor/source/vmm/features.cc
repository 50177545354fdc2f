#include "sensor/source/vmm/features.h"

#include <array>

#include "bpf/vmm/meters.h"
#include "sensor/source/vmm/members.h"

namespace kvmsentry {
namespace {

constexpr auto kRate = FeatureKind::kRate;
constexpr auto kSet = FeatureKind::kSet;
constexpr Points kLeaving(Point::kK2, Point::kK5);
constexpr Points kLeft(Point::kK2);
constexpr Points kEntering(Point::kK3);
constexpr Points kMemory(Point::kK3, Point::kK4, Point::kR3);
constexpr Points kHostInterfaces(Point::kK5, Point::kR2, Point::kK2);
constexpr Points kDataArea(Point::kR3);
constexpr Points kOthersData(Point::kR3, Point::kK4, Point::kK2);

// Rows: name, kind, points, unit, noun of an occurrence, hooks, member, meter.
constexpr std::array kFeatures = {
    Feature{"vmm.fork.rate", kRate, kLeaving, "1/s", "processes made", "sched_process_fork",
            nullptr, KS_METER_VMM_FORK},
    Feature{"vmm.program", kSet, kLeaving, "program", "programs started", "sched_process_exec",
            &kProgram, std::nullopt},
    Feature{"vmm.copy", kSet, kLeaving, "program", "forks of it that live on and start no program",
            "sched_process_fork", &kProgram, std::nullopt},
    Feature{"vmm.survivor", kSet, kLeaving, "program",
            "processes of it that live on when its VMM has ended", "sched_process_fork", &kProgram,
            std::nullopt},
    Feature{"vmm.code", kSet, kLeft, "executable memory", "mappings made executable",
            "security_mmap_file", &kCode, std::nullopt},
    Feature{"vmm.signal", kSet, kLeft, "signal", "signals for faults of its own",
            HookNames("signal_generate", "sched_process_exit"), &kSignal, std::nullopt},
    Feature{"vmm.connection", kSet, kLeaving, "connection", "TCP connections that it makes",
            "inet_sock_set_state", &kEndpoint, std::nullopt},
    Feature{"vmm.listener", kSet, kLeaving, "connection", "TCP ports on which it listens",
            "inet_sock_set_state", &kEndpoint, std::nullopt},
    Feature{"vmm.datagram", kSet, kLeaving, "connection", "peers that it sends datagrams to",
            "udp_sendmsg", &kEndpoint, std::nullopt},
    Feature{"vmm.service", kSet, kHostInterfaces, "service",
            "Unix sockets of other processes that it connects to", "security_unix_stream_connect",
            &kService, std::nullopt},
    Feature{"vmm.socket", kSet, kLeaving, "socket", "kinds of sockets that it makes",
            "security_task_fix_setuid", &kSocket, std::nullopt},
    Feature{"vmm.file.read", kSet, kHostInterfaces, "file", "private files that it opens",
            "security_file_open", &kFilePath, std::nullopt},
    Feature{"vmm.file.written", kSet, kHostInterfaces, "file", "files that it opens to write",
            "security_file_open", &kFilePath, std::nullopt},
    Feature{
        "vmm.call", kSet, kHostInterfaces, "calls on", "calls on interfaces of the kernel",
        HookNames("security_task_fix_setuid", "security_ptrace_access_check", "security_file_open"),
        &kCallFamily, std::nullopt},
    Feature{"vmm.refused_call.rate", kRate, kHostInterfaces, "1/s",
            "system calls that its filter refused", "__secure_computing", nullptr,
            KS_METER_VMM_REFUSED},
    Feature{"vmm.refused_call", kSet, kHostInterfaces, "system call",
            "system calls that its filter refused", "__secure_computing", &kSystemCall,
            std::nullopt},
    Feature{"memory.slot", kSet, kDataArea, "memory slot", "kinds of memory mapped for it",
            "kvm_arch_prepare_memory_region", &kSlot, std::nullopt},
    Feature{"vmm.entered.rate", kRate, kEntering, "1/s", "accesses of strangers to its memory",
            HookNames("security_ptrace_access_check", "security_file_open"), nullptr,
            KS_METER_VMM_ENTERED},
    Feature{"vmm.entered", kSet, kEntering, "program", "accesses of strangers to its memory",
            "security_ptrace_access_check", &kProgram, std::nullopt},
    Feature{"vm.driver", kSet, kEntering, "program",
            "strangers that made ioctls on it or its vCPUs", "kvm_vcpu_ioctl", &kProgram,
            std::nullopt},
    Feature{"memory.opened", kSet, kMemory, "opener",
            "strangers that opened a file in which its memory lies", "security_file_open", &kOpener,
            std::nullopt},
    Feature{"memory.pager", kSet, kEntering, "program", "strangers that handle its page faults",
            "userfaultfd_ioctl", &kProgram, std::nullopt},
    Feature{"vmm.client", kSet, kEntering, "client", "connections to its Unix sockets",
            "security_unix_stream_connect", &kMonitorClient, std::nullopt},
    Feature{"image.stranger.rate", kRate, kDataArea, "1/s",
            "times that strangers opened or changed its images", "security_file_open", nullptr,
            KS_METER_VMM_IMAGE},
    Feature{"image.reader", kSet, kDataArea, "program", "strangers that opened its images to read",
            "security_file_open", &kProgram, std::nullopt},
    Feature{"image.writer", kSet, kDataArea, "program", "strangers that opened its images to write",
            "security_file_open", &kProgram, std::nullopt},
    Feature{"image.changer", kSet, kDataArea, "program",
            "strangers that renamed, removed, truncated or gave away its images", "notify_change",
            &kProgram, std::nullopt},
    Feature{"image.foreign", kSet, kOthersData, "image", "other VMs' images that it opened",
            "security_file_open", &kImage, std::nullopt},
};

}  // namespace

std::span<const Feature> VmmFeatures() { return kFeatures; }

}  // namespace kvmsentry
