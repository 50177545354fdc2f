// A QEMU process with a guest that runs Debian's kernel and debian/init.
#pragma once

#include <string>

#include "sensor/base/status.h"
#include "tests/scenario/qmp.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace kvmsentry::scenario {

// What is made of a guest.
struct Machine {
  std::string name;  // as the host sees it
  uint32_t vcpus = 1;
  std::string does;           // shell for debian/init
  std::string tap;            // of its network card, over vhost-net; empty: none
  int number = 1;             // 1 to 99: sets its addresses; those that run at the same time differ
  std::string disk;           // a file; empty: none
  bool disk_shared = false;   // as the command line says
  std::string floppy;         // the same
  std::string folder;         // that the host shares with it; empty: none
  std::string socket;         // Unix socket of its network card's helper; empty: none
  bool user_network = false;  // a network card whose traffic its VMM carries
  bool daemonized = false;
  std::string network_script;  // that QEMU runs for the tap; empty: none
};

// Killed on destruction. Move-only.
class DebianGuest {
 public:
  // Ends when its init has begun; it does nothing until Begin.
  static absl::StatusOr<DebianGuest> Boot(const Machine& machine);
  // Waits, set up but not running, for a guest of the like MACHINE to be migrated to it.
  static absl::StatusOr<DebianGuest> Receiver(const Machine& machine);

  const Machine& machine() const { return machine_; }
  pid_t pid() const { return pid_; }

  // This guest goes on in TO, a Receiver; this process stays, paused.
  absl::Status MigrateTo(DebianGuest& to, bool postcopy);

  absl::Status Begin() { return process_.Write("\n"); }
  // Until the console shows a line that holds TEXT, after the one found before. Once the pipe is
  // full, a guest that writes more waits for its reader.
  absl::Status WaitForLine(absl::string_view text);
  // To its monitor; ARGUMENTS is JSON, or empty.
  absl::Status Command(absl::string_view command, absl::string_view arguments);
  // Ends QEMU, whatever the guest does.
  absl::Status Stop();
  // Until the guest has powered itself off.
  absl::Status WaitForEnd();

 private:
  absl::Status PreparePostcopy(DebianGuest& to);
  absl::Status CheckPostcopy();
  static absl::StatusOr<DebianGuest> Start(const Machine& machine, bool receives);
  DebianGuest(Machine machine, TempDir folder, Process process, Qmp qmp, pid_t pid);

  Machine machine_;
  TempDir folder_;
  Process process_;  // QEMU, or what has its console where it is daemonized
  Qmp qmp_;
  pid_t pid_;            // of QEMU
  std::string console_;  // that was read
};

}  // namespace kvmsentry::scenario
