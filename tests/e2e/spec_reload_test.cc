// Another spec library while the daemon runs: by SIGHUP, by a changed file, by SpecAdmin.
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <grpcpp/grpcpp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "kvmsentry/v1/spec_admin.grpc.pb.h"
#include "tests/e2e/fixture.h"

namespace kvmsentry {
namespace {

namespace fs = std::filesystem;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kDenied[] = "port-denied";  // of sets.textproto

// Of the test's own: the ports of DENIED.
std::string SiteSpec(const std::string& id, const std::string& port) {
  return absl::StrCat("spec { id: \"", id,
                      "\" point: R5 feature: \"pio.port\" norm { deny { port: \"", port,
                      "\" } } weight: 5 severity: NOTICE why: \"w\" look_at: \"l\" }\n");
}

class SpecReloadTest : public FewHooksTest {
 protected:
  void WriteSite(const std::string& text) const {
    fs::create_directories(place().site_specs());
    std::ofstream(place().site_specs() + "/site.textproto") << text;
  }

  bool StatusIs(const std::function<bool(const v1::SpecLibraryStatus&)>& condition) const {
    return WaitUntil([&] {
      const auto status = cli().Status();
      return status.ok() && condition(status->library());
    });
  }

  // A guest that keeps using a port that is denied, once its alert is open.
  absl::StatusOr<Guest> Denied(const std::string& vm, AlertStream& stream) {
    KVMSENTRY_ASSIGN_OR_RETURN(Guest guest,
                               StartGuest(vm, "--behaviour pio --port 0x511 --rate 50"));
    KVMSENTRY_RETURN_IF_ERROR(guest.Begin());
    KVMSENTRY_RETURN_IF_ERROR(stream.WaitFor(vm, kDenied, v1::Alert::OPEN).status());
    return guest;
  }

  // "OPEN port-denied", of the VM, all that was read until now.
  std::vector<std::string> StepsOf(const std::string& vm, AlertStream& stream) {
    EXPECT_TRUE(IsOk(stream.ReadUpTo(absl::Now())));
    std::vector<std::string> steps;
    for (const v1::Alert& alert : AlertsOf(vm, stream.alerts())) {
      if (alert.state() == v1::Alert::UPDATED) continue;
      steps.push_back(absl::StrCat(v1::Alert::State_Name(alert.state()), " ", alert.spec_id()));
    }
    return steps;
  }

  // Its words: where lines end depends on how long names and paths are.
  std::string ExplanationFor(const std::string& vm) const {
    const auto explained = cli().Run({"spec", "explain", kDenied, "--vm", vm});
    if (!explained.ok()) return explained.status().ToString();
    const std::string text = absl::StrJoin(explained->lines, "\n");
    return absl::StrJoin(absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty()), " ");
  }
};

TEST_F(SpecReloadTest, ASighupLoadsASiteAndAnAlertOfAnotherSpecGoesOn) {
  StartDaemon({"sets.textproto"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  const std::string vm = Name("denied");
  ASSERT_OK_AND_ASSIGN(Guest guest, Denied(vm, stream));
  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse before, cli().Status());
  WriteSite(SiteSpec("ours", "0x511"));
  ASSERT_OK(daemon_->process().Signal(SIGHUP));
  // The new spec watches the VM that was there before it.
  ASSERT_OK(stream.WaitFor(vm, "ours", v1::Alert::OPEN));
  EXPECT_THAT(StepsOf(vm, stream), ElementsAre("OPEN port-denied", "OPEN ours"));
  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse after, cli().Status());
  EXPECT_EQ(after.library().shipped_specs(), 2U);
  EXPECT_EQ(after.library().site_specs(), 1U);
  EXPECT_NE(after.library().sha256(), before.library().sha256());
  EXPECT_THAT(daemon_->Log(), HasSubstr("SIGHUP: the spec library is "));
  ASSERT_OK(guest.Stop());
}

TEST_F(SpecReloadTest, AnExceptionThatIsWrittenSilencesAnOpenAlert) {
  StartDaemon({"sets.textproto"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  const std::string ci = Name("ci");
  const std::string web = Name("web");
  ASSERT_OK_AND_ASSIGN(Guest ci_guest, Denied(ci, stream));
  ASSERT_OK_AND_ASSIGN(Guest web_guest, Denied(web, stream));
  WriteSite("override {\n  spec: \"port-denied\" except { vm: \"ci-*\" } }\n");
  ASSERT_OK_AND_ASSIGN(const v1::Alert cleared, stream.WaitFor(ci, kDenied, v1::Alert::CLEARED));
  EXPECT_THAT(cleared.summary(), HasSubstr("spec port-denied was changed"));
  // The other VM's is judged from the start again, and deviates; this one's is no more.
  EXPECT_TRUE(WaitUntil([&] {
    return StepsOf(web, stream) ==
           std::vector<std::string>{"OPEN port-denied", "CLEARED port-denied", "OPEN port-denied"};
  }));
  EXPECT_THAT(StepsOf(ci, stream), ElementsAre("OPEN port-denied", "CLEARED port-denied"));
  EXPECT_THAT(ExplanationFor(ci),
              HasSubstr(ci + " is excepted: its name \"" + ci + "\" matches vm \"ci-*\", at " +
                        place().site_specs() + "/site.textproto:2:23"));
  EXPECT_THAT(ExplanationFor(web), HasSubstr(web + " is selected: it selects every VM"));
  ASSERT_OK(ci_guest.Stop());
  ASSERT_OK(web_guest.Stop());
}

TEST_F(SpecReloadTest, DisablingASpecClearsItsAlerts) {
  StartDaemon({"sets.textproto"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  const std::string vm = Name("denied");
  ASSERT_OK_AND_ASSIGN(Guest guest, Denied(vm, stream));
  WriteSite("disable: \"port-denied\"\n");
  ASSERT_OK_AND_ASSIGN(const v1::Alert cleared, stream.WaitFor(vm, kDenied, v1::Alert::CLEARED));
  EXPECT_THAT(cleared.summary(), HasSubstr("spec port-denied was removed"));
  EXPECT_TRUE(StatusIs([](const auto& library) { return library.disabled_specs() == 1; }));
  ASSERT_OK_AND_ASSIGN(const std::vector<v1::SpecInfo> specs, cli().Specs());
  EXPECT_EQ(specs.size(), 1U);
  EXPECT_THAT(StepsOf(vm, stream), ElementsAre("OPEN port-denied", "CLEARED port-denied"));
  ASSERT_OK(guest.Stop());
}

TEST_F(SpecReloadTest, WhatIsOnlyObservedIsReportedAndCountsForNothing) {
  StartDaemon({"sets.textproto"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  WriteSite("override { spec: \"port-denied\" mode: OBSERVE severity: CRITICAL }\n");
  ASSERT_TRUE(StatusIs([](const auto& library) { return library.overridden_specs() == 1; }));
  const std::string vm = Name("denied");
  ASSERT_OK_AND_ASSIGN(Guest guest, Denied(vm, stream));
  ASSERT_OK_AND_ASSIGN(const v1::Alert open, stream.WaitFor(vm, kDenied, v1::Alert::OPEN));
  EXPECT_TRUE(open.observe_only());
  EXPECT_EQ(open.severity(), v1::INFO);
  EXPECT_THAT(open.summary(), HasSubstr("; observed only"));
  EXPECT_EQ(open.evidence().at("would_alert_as"), "CRITICAL");
  ASSERT_OK_AND_ASSIGN(const v1::VmStatus status, WaitForVm(vm));
  EXPECT_EQ(status.open_alerts(), 0U);
  EXPECT_EQ(status.score(), 0);
  ASSERT_OK(guest.Stop());
}

// The tick is slow and the window long: only the kernel can be so quick and so exact.
TEST_F(SpecReloadTest, TheKernelGetsTheLimitsOfVmsThatAreKnown) {
  StartDaemon({"sets.textproto"}, {"--tick", "1000"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  const std::string vm = Name("storm");
  ASSERT_OK_AND_ASSIGN(
      Guest guest,
      StartGuest(vm, "--behaviour pio --port 0x3f8 --rate 2000 --count 3000 --then calm"));
  WriteSite(
      "spec { id: \"long-window\" point: K2 feature: \"pio.rate\" window { seconds: 10 } norm { "
      "max: "
      "100 } weight: 10 severity: WARNING why: \"w\" look_at: \"l\" }\n");
  ASSERT_OK(daemon_->process().Signal(SIGHUP));
  ASSERT_TRUE(StatusIs([](const auto& library) { return library.site_specs() == 1; }));
  ASSERT_OK(guest.Begin());
  ASSERT_OK_AND_ASSIGN(const v1::Alert open, stream.WaitFor(vm, "long-window", v1::Alert::OPEN));
  constexpr uint64_t kLimit = 1000;  // 100/s over 10 s; the kernel looks again each sixteenth
  EXPECT_GT(open.observed().occurrences(), kLimit);
  EXPECT_LE(open.observed().occurrences(), kLimit + kLimit / 16 + 1);
  ASSERT_OK(guest.Stop());
}

// Without a guest.
class SpecFilesTest : public SpecReloadTest {
 protected:
  std::unique_ptr<v1::SpecAdmin::Stub> Admin() const {
    return v1::SpecAdmin::NewStub(
        grpc::CreateChannel("unix:" + place().socket(), grpc::InsecureChannelCredentials()));
  }
  static grpc::Status Apply(v1::SpecAdmin::Stub& admin, const v1::ApplySpecsRequest& request,
                            v1::ApplySpecsResponse& response) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
    return admin.Apply(&context, request, &response);
  }
  static v1::ApplySpecsRequest RequestOf(const std::string& text) {
    v1::ApplySpecsRequest request;
    request.add_files()->set_name("site.textproto");
    request.mutable_files(0)->set_text(text);
    return request;
  }
  int StatusExitCode() const {
    const auto status = cli().Run({"status"});
    return status.ok() ? status->exit_code : -1;
  }
};

TEST_F(SpecFilesTest, ALibraryWithAnErrorIsRefusedAndTold) {
  StartDaemon({"sets.textproto"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse before, cli().Status());
  WriteSite("override {\n  spec: \"port-deny\" weight: 1 }\n");
  ASSERT_OK(daemon_->process().Signal(SIGHUP));
  const std::string place_of_it = place().site_specs() + "/site.textproto:2:3: error: ";
  ASSERT_TRUE(StatusIs([](const auto& library) { return !library.refused_reason().empty(); }));
  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse refused, cli().Status());
  EXPECT_THAT(refused.library().refused_reason(),
              HasSubstr(place_of_it + "override of an unknown spec \"port-deny\"; did you mean"));
  EXPECT_GT(refused.library().refused_at().seconds(), 0);
  EXPECT_EQ(refused.library().sha256(), before.library().sha256());
  EXPECT_EQ(refused.specs_size(), before.specs_size());
  EXPECT_EQ(StatusExitCode(), 1) << "a warning";
  EXPECT_THAT(daemon_->Log(), HasSubstr(place_of_it));
  const auto self = [&](v1::Alert::State state) {
    return WaitUntil([&] {
      if (!stream.ReadUpTo(absl::Now()).ok()) return false;
      return std::ranges::any_of(stream.alerts(), [&](const v1::Alert& alert) {
        return alert.spec_id() == "self-specs" && alert.state() == state;
      });
    });
  };
  EXPECT_TRUE(self(v1::Alert::OPEN));
  WriteSite("# nothing\n");
  EXPECT_TRUE(StatusIs([](const auto& library) { return library.refused_reason().empty(); }));
  EXPECT_TRUE(self(v1::Alert::CLEARED));
}

// As systemd starts a unit of Type=notify.
TEST_F(SpecFilesTest, SystemdHearsOfAReloadByItsSignal) {
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  const std::string path = place().file("notify");
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  setenv("NOTIFY_SOCKET", path.c_str(), 1);
  StartDaemon({"sets.textproto"});
  unsetenv("NOTIFY_SOCKET");
  if (HasFatalFailure()) return;
  std::vector<std::string> heard;
  const auto hears = [&](const std::string& text) {
    return WaitUntil([&] {
      std::array<char, 256> buffer;
      const ssize_t size = read(socket.get(), buffer.data(), buffer.size());
      if (size > 0) heard.emplace_back(buffer.data(), static_cast<size_t>(size));
      return !heard.empty() && heard.back().starts_with(text);
    });
  };
  ASSERT_TRUE(hears("READY=1"));
  // Also of one that is refused, or it would wait for ever.
  WriteSite("nonsense");
  ASSERT_OK(daemon_->process().Signal(SIGHUP));
  ASSERT_TRUE(hears("RELOADING=1\nMONOTONIC_USEC="));
  ASSERT_TRUE(hears("READY=1"));
  EXPECT_EQ(heard.size(), 3U);
}

TEST_F(SpecFilesTest, AClientAppliesALayerWholeOrNotAtAll) {
  StartDaemon({"sets.textproto"});
  if (HasFatalFailure()) return;
  const auto admin = Admin();
  v1::ApplySpecsResponse response;
  const grpc::Status refused =
      Apply(*admin, RequestOf(SiteSpec("ours", "0x511") + "disable: \"nothing\""), response);
  EXPECT_EQ(refused.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_THAT(refused.error_message(), HasSubstr("/site.textproto:2:10: error: disable of an"));
  EXPECT_FALSE(fs::exists(place().site_specs()));

  v1::ApplySpecsRequest request = RequestOf(SiteSpec("ours", "0x511"));
  request.set_validate_only(true);
  ASSERT_TRUE(Apply(*admin, request, response).ok());
  EXPECT_EQ(response.library().site_specs(), 1U);
  EXPECT_FALSE(fs::exists(place().site_specs()));

  request.set_validate_only(false);
  const grpc::Status applied = Apply(*admin, request, response);
  ASSERT_TRUE(applied.ok()) << applied.error_message();
  // Whoever was answered sees it at once, and a restart finds it.
  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse status, cli().Status());
  EXPECT_EQ(status.library().sha256(), response.library().sha256());
  EXPECT_EQ(status.specs_size(), 3);
  StopDaemon();
  ASSERT_OK_AND_ASSIGN(daemon_, Daemon::Start(place()));
  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse again, cli().Status());
  EXPECT_EQ(again.library().sha256(), response.library().sha256());
}

TEST_F(SpecFilesTest, WhereTheFolderCannotBeWrittenApplySaysWhatToDo) {
  StartDaemon({"sets.textproto"}, {"--site-specs", "/proc/specs.d"});
  if (HasFatalFailure()) return;
  v1::ApplySpecsResponse response;
  const grpc::Status refused = Apply(*Admin(), RequestOf(SiteSpec("ours", "0x511")), response);
  EXPECT_EQ(refused.error_code(), grpc::FAILED_PRECONDITION);
  EXPECT_THAT(refused.error_message(), HasSubstr("ReadWritePaths=/proc/specs.d"));
  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse status, cli().Status());
  EXPECT_EQ(status.library().site_specs(), 0U);
}

// As kubelet does it.
TEST_F(SpecFilesTest, AConfigMapThatIsExchangedIsLoaded) {
  const std::string site = place().site_specs();
  const auto version = [&](const std::string& name, const std::string& text) {
    fs::create_directories(absl::StrCat(site, "/", name));
    std::ofstream(absl::StrCat(site, "/", name, "/site.textproto")) << text;
  };
  version("..1", SiteSpec("first", "0x511"));
  fs::create_directory_symlink("..1", site + "/..data");
  fs::create_symlink("..data/site.textproto", site + "/site.textproto");
  StartDaemon({"sets.textproto"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse before, cli().Status());
  EXPECT_EQ(before.library().site_specs(), 1U);
  version("..2", SiteSpec("second", "0x511") + SiteSpec("third", "0x510"));
  fs::create_directory_symlink("..2", site + "/..data_tmp");
  fs::rename(site + "/..data_tmp", site + "/..data");
  EXPECT_TRUE(StatusIs([](const auto& library) { return library.site_specs() == 2; }));
  v1::ApplySpecsResponse response;
  const grpc::Status refused = Apply(*Admin(), RequestOf(""), response);
  EXPECT_EQ(refused.error_code(), grpc::FAILED_PRECONDITION);
  EXPECT_THAT(refused.error_message(), HasSubstr("ConfigMap"));
}

TEST_F(SpecFilesTest, TheClientReloadsAndApplies) {
  StartDaemon({"sets.textproto"});
  if (HasFatalFailure()) return;
  fs::create_directories(place().file("new"));
  std::ofstream(place().file("new") + "/site.textproto") << SiteSpec("ours", "0x512");
  ASSERT_OK_AND_ASSIGN(const Finished checked,
                       cli().Run({"spec", "apply", "--check", place().file("new")}));
  EXPECT_EQ(checked.exit_code, 0) << checked.errors;
  EXPECT_THAT(checked.lines.at(0), HasSubstr("no error: 2 shipped specs, 1 of the site"));
  EXPECT_FALSE(fs::exists(place().site_specs()));
  ASSERT_OK_AND_ASSIGN(const Finished applied, cli().Run({"spec", "apply", place().file("new")}));
  EXPECT_EQ(applied.exit_code, 0) << applied.errors;
  ASSERT_OK_AND_ASSIGN(const Finished reloaded, cli().Run({"spec", "reload"}));
  EXPECT_EQ(reloaded.lines, applied.lines);
  WriteSite("nonsense\n");
  ASSERT_OK_AND_ASSIGN(const Finished refused, cli().Run({"spec", "reload"}));
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.errors, HasSubstr("/site.textproto:1:"));
}

}  // namespace
}  // namespace kvmsentry
