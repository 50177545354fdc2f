// journald's own protocol, read by a socket of the test's in a mount namespace of its own.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "sensor/base/fd.h"
#include "sensor/sink/journald.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

struct Received {
  std::string error;     // of the test's own doing
  absl::Status without;  // where nobody listens
  absl::Status with;
  std::string entry;
};

std::string Errno(const char* what) { return absl::StrCat(what, ": ", strerror(errno)); }

// On a thread of its own, whose view of /run nobody else shares.
Received WriteTo(const StreamItem& item) {
  Received received;
  if (unshare(CLONE_NEWNS) != 0 || mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("tmpfs", "/run", "tmpfs", 0, nullptr) != 0) {
    received.error = Errno("a mount namespace (needs root)");
    return received;
  }
  JournaldSink sink;
  received.without = sink.Write(item);
  std::filesystem::create_directories("/run/systemd/journal");
  const Fd listening(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"};
  if (bind(listening.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    received.error = Errno("bind");
    return received;
  }
  received.with = sink.Write(item);
  if (!received.with.ok()) return received;
  received.entry.resize(1 << 16);
  const ssize_t size = recv(listening.get(), received.entry.data(), received.entry.size(), 0);
  if (size < 0) received.error = Errno("recv");
  received.entry.resize(static_cast<size_t>(std::max<ssize_t>(size, 0)));
  return received;
}

TEST(JournaldTest, AnAlertIsAStructuredEntry) {
  auto alert = std::make_shared<JournaledAlert>();
  alert->position = {7, 8};
  alert->event.state = AlertState::kOpen;
  alert->event.severity = Severity::kCritical;
  alert->event.spec_id = "port-denied";
  alert->event.summary = "first line\nPRIORITY=0";
  alert->event.vm.name = "web\n1";
  alert->event.evidence["last port"] = "0x510";
  Received received;
  std::thread([&] { received = WriteTo(AlertPtr(alert)); }).join();
  ASSERT_EQ(received.error, "");
  EXPECT_FALSE(received.without.ok());
  ASSERT_TRUE(received.with.ok()) << received.with;
  EXPECT_THAT(received.entry, HasSubstr("\nKVMSENTRY_POSITION=7:8\n"));
  EXPECT_THAT(received.entry, HasSubstr("\nPRIORITY=2\n"));
  EXPECT_THAT(received.entry, HasSubstr("\nKVMSENTRY_SPEC=port-denied\n"));
  EXPECT_THAT(received.entry, HasSubstr("\nKVMSENTRY_EVIDENCE_LAST_PORT=0x510\n"));
  // What comes from a VM makes no field of its own.
  EXPECT_THAT(received.entry, HasSubstr("\nMESSAGE=first line\\x0aPRIORITY=0\n"));
  EXPECT_THAT(received.entry, HasSubstr("\nKVMSENTRY_VM=web\\x0a1\n"));
}

}  // namespace
}  // namespace kvmsentry
