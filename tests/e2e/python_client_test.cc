// The client of docs/clients.md, with stubs made as it says, against a real daemon.
#include <filesystem>

#include "tests/e2e/fixture.h"
#include "tests/support/process.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

class PythonClientTest : public FewHooksTest {};

TEST_F(PythonClientTest, PrintsTheAlertsThatItSubscribesTo) {
  StartDaemon({"sets.textproto"});
  if (HasFatalFailure()) return;
  const std::string stubs = place().file("stubs");
  std::filesystem::create_directory(stubs);
  ASSERT_OK_AND_ASSIGN(const Finished made,
                       RunToEnd({"bash", "-c",
                                 "protoc -I \"$0\" --python_out=\"$1\" --grpc_python_out=\"$1\" "
                                 "--plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin "
                                 "\"$0\"/kvmsentry/v1/*.proto",
                                 KVMSENTRY_PROTO, stubs}));
  ASSERT_EQ(made.exit_code, 0) << made.errors;
  const std::string vm = Name("denied");
  ASSERT_OK_AND_ASSIGN(Process client,
                       Process::Start({"env", "PYTHONPATH=" + stubs, "/usr/bin/python3",
                                       KVMSENTRY_DOCS "/clients/alerts.py", place().socket(), vm}));
  ASSERT_TRUE(WaitUntil([&] {
    const auto status = cli().Status();
    return status.ok() && status->subscribers() == 1;
  })) << client.Errors();
  ASSERT_OK_AND_ASSIGN(Guest guest, StartGuest(vm, "--behaviour pio --port 0x510 --count 1"));
  ASSERT_OK(guest.Begin());
  ASSERT_OK_AND_ASSIGN(const std::string line, client.ReadLine());
  EXPECT_THAT(line, HasSubstr(" OPEN "));
  EXPECT_THAT(line, HasSubstr(" " + vm + " port-denied - VM "));
}

}  // namespace
}  // namespace kvmsentry
