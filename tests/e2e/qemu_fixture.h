// Debian's QEMU as a VMM of the tests.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "tests/e2e/fixture.h"
#include "tests/support/temp_dir.h"

namespace kvmsentry {

class QemuTest : public E2eTest {
 protected:
  void SetUp() override {
    E2eTest::SetUp();
    if (HasFatalFailure()) return;
    ASSERT_OK_AND_ASSIGN(folder_, TempDir::Make());
  }

  std::string File(absl::string_view name) { return *folder_ / name; }

  std::string MakeImage(absl::string_view name) {
    std::string path = File(name);
    const Fd image(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    EXPECT_EQ(ftruncate(image.get(), 1 << 20), 0) << path;
    return path;
  }

  // A VM that runs its firmware, with QMP on its standard streams. All that it makes is there.
  static absl::StatusOr<Process> StartQemu(const std::string& name,
                                           const std::vector<std::string>& options) {
    std::vector<std::string> command = {"qemu-system-x86_64",
                                        "-name",
                                        name,
                                        "-accel",
                                        "kvm",
                                        "-cpu",
                                        "host,-arch-capabilities",
                                        "-M",
                                        "q35",
                                        "-m",
                                        "32",
                                        "-smp",
                                        "2",
                                        "-nodefaults",
                                        "-display",
                                        "none",
                                        "-qmp",
                                        "stdio"};
    command.insert(command.end(), options.begin(), options.end());
    KVMSENTRY_ASSIGN_OR_RETURN(Process qemu, Process::Start(command));
    KVMSENTRY_RETURN_IF_ERROR(
        Annotate(qemu.ReadLine().status(), "install qemu-system-x86 from deploy/packages.txt"));
    KVMSENTRY_RETURN_IF_ERROR(Ask(qemu, R"({"execute":"qmp_capabilities"})"));
    return qemu;
  }

  // Sends a QMP command and waits for its answer; events may come before it.
  static absl::Status Ask(Process& qemu, absl::string_view command) {
    KVMSENTRY_RETURN_IF_ERROR(qemu.Write(absl::StrCat(command, "\n")));
    for (;;) {
      KVMSENTRY_ASSIGN_OR_RETURN(const std::string line, qemu.ReadLine());
      if (line.find("\"return\"") != std::string::npos) return absl::OkStatus();
      if (line.find("\"error\"") != std::string::npos) return absl::InternalError(line);
    }
  }

  static auto Has(int devices) {
    return [devices](const v1::VmStatus& vm) { return vm.devices_size() == devices; };
  }

  std::optional<TempDir> folder_;
};

}  // namespace kvmsentry
