// Whoever controls an argument can't break a parser or what its result is shown on: random and
// mutated command lines, from fixed seeds.
#include <random>

#include "sensor/given/command_line.h"
#include "sensor/given/other_vmms.h"
#include "tests/unit/given/given_fixture.h"

namespace kvmsentry {
namespace {

constexpr int kRounds = 2000;
constexpr char kVmmNames[][20] = {"qemu", "cloud-hypervisor", "firecracker", "crosvm"};

const Args kWords = {"-drive",
                     "-blockdev",
                     "-device",
                     "-netdev",
                     "-object",
                     "-m",
                     "-smp",
                     "-cpu",
                     "-chardev",
                     "-mon",
                     "-qmp",
                     "-monitor",
                     "-incoming",
                     "-fsdev",
                     "-virtfs",
                     "-sandbox",
                     "-name",
                     "--disk",
                     "--net",
                     "--memory",
                     "--cpus",
                     "--fs",
                     "--api-socket",
                     "--kernel",
                     "--config-file",
                     "-b",
                     "--block",
                     "--shared-dir",
                     "-p",
                     "-global",
                     "-add-fd",
                     "-hda",
                     "--",
                     "-",
                     "",
                     "file=/a,,b,format=qcow2,id=d0",
                     "virtio-blk,drive=d0,id=vda",
                     "node-name=a,file=a,backing=a",
                     R"({"driver":"qcow2","node-name":"n","file":{"filename":"/x"},"backing":"n"})",
                     R"({"driver":"virtio-net-pci","netdev":"u","mac":"52:54:00:00:00:01"})",
                     "user,id=u,hostfwd=x",
                     "socket,id=c,path=/run/c,server",
                     "chardev=c,mode=control",
                     "size=1G,maxmem=2G,slots=2",
                     "2,maxcpus=4",
                     "host,+vmx,hv_time",
                     "path=a,readonly=on",
                     "tap=t,mac=m",
                     "boot=1,max=2",
                     "/a:b:type=fs",
                     "secret,id=s,data=hunter2",
                     "https://u:hunter2@h/"};

// Nothing in it can command a terminal or a log, and it is bounded.
void ExpectHarmless(const Given& given, int round) {
  const std::string text = AllText(given);
  ASSERT_LT(text.size(), size_t{4} << 20);
  for (const char c : text) {
    ASSERT_TRUE(c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f))
        << "round " << round << ": byte " << static_cast<int>(c);
  }
  for (const GivenPart& part : PartsOf(given)) ASSERT_EQ(part.id.find('\n'), std::string::npos);
  ASSERT_EQ(text.find("hunter2"), std::string::npos) << "round " << round << ": " << text;
}

TEST(HostileTest, RandomLines) {
  std::mt19937 random(20261129);
  const auto below = [&](size_t n) {
    return std::uniform_int_distribution<size_t>(0, n - 1)(random);
  };
  for (int round = 0; round < kRounds; ++round) {
    ProcessFacts process;
    process.args.emplace_back("vmm");
    for (size_t i = below(40); i > 0; --i) process.args.push_back(kWords[below(kWords.size())]);
    for (const char* vmm : kVmmNames) ExpectHarmless(GivenByCommandLine(process, vmm), round);
    if (HasFatalFailure()) return;
  }
}

TEST(HostileTest, MutatedLines) {
  std::mt19937 random(42);
  const auto below = [&](size_t n) {
    return std::uniform_int_distribution<size_t>(0, n - 1)(random);
  };
  constexpr char kSpecial[] = ",={}[]\":%@#\\/\0\x1b\x9b\n\x7f\xff.";
  for (int round = 0; round < kRounds; ++round) {
    ProcessFacts process;
    process.args.emplace_back("vmm");
    for (size_t i = below(20); i > 0; --i) {
      std::string word = kWords[below(kWords.size())];
      if (word.find("hunter2") != std::string::npos) continue;  // a torn one is none any more
      for (size_t change = below(6); change > 0 && !word.empty(); --change) {
        const size_t at = below(word.size());
        switch (below(4)) {
          case 0:
            word[at] = kSpecial[below(sizeof(kSpecial))];
            break;
          case 1:
            word.insert(at, 1, static_cast<char>(below(256)));
            break;
          case 2:
            word.erase(at, 1 + below(3));
            break;
          default:
            word.insert(at, word.substr(0, below(word.size()) + 1));
        }
      }
      process.args.push_back(std::move(word));
    }
    for (const char* vmm : kVmmNames) ExpectHarmless(GivenByCommandLine(process, vmm), round);
    std::string config = process.args.back();
    Given given;
    AddFirecrackerConfig(config, &given);
    ExpectHarmless(given, round);
    if (HasFatalFailure()) return;
  }
}

TEST(HostileTest, LargeLinesTakeNoLongerThanTheyAreLong) {
  ProcessFacts process;
  process.args = {"vmm"};
  for (int i = 0; i < 2000; ++i) {
    process.args.push_back("-blockdev");
    process.args.push_back("driver=qcow2,node-name=n" + std::to_string(i) + ",file=n" +
                           std::to_string(i + 1) + ",backing=n" + std::to_string(i + 1));
  }
  ExpectHarmless(GivenByCommandLine(process, "qemu"), 0);
  process.args = {"vmm", "-drive", "file=" + std::string(kMaxCommandLine, '\n')};
  for (const char* vmm : kVmmNames) ExpectHarmless(GivenByCommandLine(process, vmm), 0);
}

}  // namespace
}  // namespace kvmsentry
