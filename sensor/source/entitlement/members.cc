#include "sensor/source/entitlement/members.h"

namespace kvmsentry {

constinit const MemberKind kRunner = {.key = "runner",
                                      .noun = "runner",
                                      .hint = "uid * /usr/bin/qemu-system-*",
                                      .type = MemberType::kText};

constinit const MemberKind kManager = {.key = "manager",
                                       .noun = "manager",
                                       .hint = "libvirt, kubevirt or none",
                                       .type = MemberType::kText};

constinit const MemberKind kDevice = {
    .key = "device", .noun = "device", .hint = "disk /srv/scratch/*", .type = MemberType::kText};

constinit const MemberKind kMemoryFile = {.key = "memory",
                                          .noun = "memory",
                                          .hint = "/dev/shm/ivshmem*",
                                          .type = MemberType::kText,
                                          .is_mass = true};

constinit const MemberKind kImagePath = {
    .key = "disk", .noun = "image", .hint = "/srv/images/*", .type = MemberType::kText};

constinit const MemberKind kNetworkMonitor = {
    .key = "monitor", .noun = "monitor", .hint = "* tcp:127.0.0.1:*", .type = MemberType::kText};

constinit const MemberKind kRight = {
    .key = "right", .noun = "right", .hint = "uid 0", .type = MemberType::kText};

}  // namespace kvmsentry
