#include "sensor/source/vmm/copies.h"

#include <gmock/gmock.h>

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr KernelTime kBegin{1000};
constexpr KernelTime kLater{1000 + Copies::kStaysNs};

Survivor Child(bool copied, uint64_t begin = 1) {
  return {.pid = 7, .program = "qemu-system-x86_64", .begin = begin, .copied = copied};
}

std::vector<int32_t> Pids(const std::vector<Survivor>& children) {
  std::vector<int32_t> pids;
  for (const Survivor& child : children) pids.push_back(child.pid);
  return pids;
}

TEST(CopiesTest, AForkThatStaysIsTold) {
  Copies copies;
  EXPECT_THAT(copies.Take(kBegin, {Child(true)}), IsEmpty());
  EXPECT_THAT(copies.Take({kLater.ns - 1}, {Child(true)}), IsEmpty());
  EXPECT_THAT(Pids(copies.Take(kLater, {Child(true)})), ElementsAre(7));
  EXPECT_THAT(Pids(copies.Take(kLater, {Child(true)})), ElementsAre(7)) << "as long as it is";
}

TEST(CopiesTest, OneThatStartsAProgramIsNone) {
  Copies copies;
  EXPECT_THAT(copies.Take(kBegin, {Child(true)}), IsEmpty());
  EXPECT_THAT(copies.Take(kLater, {Child(false)}), IsEmpty());
}

TEST(CopiesTest, ANumberThatIsUsedAgainIsAnother) {
  Copies copies;
  EXPECT_THAT(copies.Take(kBegin, {Child(true, 1)}), IsEmpty());
  EXPECT_THAT(copies.Take(kLater, {Child(true, 2)}), IsEmpty());
  EXPECT_THAT(Pids(copies.Take({kLater.ns + Copies::kStaysNs}, {Child(true, 2)})), ElementsAre(7));
}

}  // namespace
}  // namespace kvmsentry
