// The kinds of members that the features of vmm have.
#pragma once

#include "sensor/feature/member_kind.h"

namespace kvmsentry {

extern const MemberKind kProgram;        // text: a path, or the file name of a stranger's program
extern const MemberKind kEndpoint;       // text: "192.0.2.1:443", "[::]:22"
extern const MemberKind kOpener;         // text: "qemu-system-x86_64 ivshmem"
extern const MemberKind kService;        // text: "/run/docker.sock"
extern const MemberKind kMonitorClient;  // text: "socat /run/vm/monitor.sock"
extern const MemberKind kImage;          // text: file name of an image
extern const MemberKind kCode;           // ks_code
extern const MemberKind kFilePath;       // text: "/etc/shadow"; "..." stands for what was cut
extern const MemberKind kSocket;         // ks_socket
extern const MemberKind kSlot;           // ks_slot_kind
extern const MemberKind kSignal;         // number
extern const MemberKind kCallFamily;     // ks_call_family
extern const MemberKind kSystemCall;     // number, of 64-bit programs

}  // namespace kvmsentry
