#include "sensor/source/vmm/copies.h"

#include <gmock/gmock.h>

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kProgram[] = "/usr/bin/qemu-system-x86_64";
constexpr KernelTime kBegin{1000};
constexpr KernelTime kLater{1000 + Copies::kStaysNs};

std::vector<int32_t> Pids(const std::vector<Survivor>& children) {
  std::vector<int32_t> pids;
  for (const Survivor& child : children) pids.push_back(child.pid);
  return pids;
}

TEST(CopiesTest, AForkThatStaysIsTold) {
  Copies copies;
  const std::vector<Survivor> children = {{7, "qemu-system-x86_64"}};
  EXPECT_THAT(copies.Take(kBegin, kProgram, children), IsEmpty());
  EXPECT_THAT(copies.Take({kLater.ns - 1}, kProgram, children), IsEmpty());
  EXPECT_THAT(Pids(copies.Take(kLater, kProgram, children)), ElementsAre(7));
  EXPECT_THAT(Pids(copies.Take(kLater, kProgram, children)), ElementsAre(7)) << "as long as it is";
}

TEST(CopiesTest, OneThatStartsAProgramIsNone) {
  Copies copies;
  EXPECT_THAT(copies.Take(kBegin, kProgram, {{7, "qemu-system-x86_64"}}), IsEmpty());
  EXPECT_THAT(copies.Take(kLater, kProgram, {{7, "sh"}}), IsEmpty());
  EXPECT_THAT(copies.Take(kLater, kProgram, {{7, "qemu-system-x86_64"}}), IsEmpty())
      << "it has only begun";
}

TEST(CopiesTest, ANumberThatIsUsedAgainIsAnother) {
  Copies copies;
  EXPECT_THAT(copies.Take(kBegin, kProgram, {{7, "qemu-system-x86_64"}}), IsEmpty());
  EXPECT_THAT(copies.Take({kBegin.ns + 1}, kProgram, {}), IsEmpty());
  EXPECT_THAT(copies.Take(kLater, kProgram, {{7, "qemu-system-x86_64"}}), IsEmpty());
}

TEST(CopiesTest, LongNamesAreCutAsTheKernelsAre) {
  Copies copies;
  const std::string name(40, 'v');
  const std::vector<Survivor> children = {{7, name.substr(0, 31)}};
  copies.Take(kBegin, "/opt/" + name, children);
  EXPECT_THAT(Pids(copies.Take(kLater, "/opt/" + name, children)), ElementsAre(7));
}

TEST(CopiesTest, WithoutAProgramThatIsKnownThereAreNone) {
  Copies copies;
  const std::vector<Survivor> children = {{7, "qemu-system-x86_64"}};
  copies.Take(kBegin, "", children);
  EXPECT_THAT(copies.Take(kLater, "", children), IsEmpty());
}

}  // namespace
}  // namespace kvmsentry
