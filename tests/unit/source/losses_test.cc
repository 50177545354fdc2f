// Each field of a source's losses is told, under its own name and in words.
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "sensor/source/kvm/source.h"
#include "sensor/source/vfio/source.h"
#include "sensor/source/vhost/source.h"
#include "sensor/source/vmm/source.h"

namespace kvmsentry {
namespace {

// Fields with the values 1, 2, 3, ... in their order.
template <typename Row>
Row Numbered() {
  Row row{};
  auto* fields = reinterpret_cast<uint64_t*>(&row);
  for (size_t i = 0; i < sizeof(Row) / sizeof(uint64_t); ++i) fields[i] = i + 1;
  return row;
}

template <typename Row>
void ExpectEachToldOnce() {
  const std::vector<Loss> losses = DescribeLosses(Numbered<Row>());
  EXPECT_EQ(losses.size(), sizeof(Row) / sizeof(uint64_t)) << "a reason is missing";
  std::set<absl::string_view> reasons;
  std::set<uint64_t> counts;
  for (const Loss& loss : losses) {
    EXPECT_TRUE(reasons.insert(loss.reason).second) << loss.reason;
    EXPECT_TRUE(counts.insert(loss.count).second) << loss.reason;
    EXPECT_FALSE(loss.meaning.empty()) << loss.reason;
  }
  EXPECT_EQ(*counts.begin(), 1U);
  EXPECT_EQ(*counts.rbegin(), losses.size());
}

TEST(LossesTest, EveryFieldIsToldOnce) {
  ExpectEachToldOnce<ks_kvm_losses>();
  ExpectEachToldOnce<ks_vfio_losses>();
  ExpectEachToldOnce<ks_vhost_losses>();
  ExpectEachToldOnce<ks_vmm_losses>();
}

std::set<std::string> ThatMatter(const std::vector<Loss>& losses) {
  std::set<std::string> reasons;
  for (const Loss& loss : losses) {
    if (loss.matters) reasons.emplace(loss.reason);
  }
  return reasons;
}

// Nor what VMs without a slot do, or what the coverage of a hook says already.
TEST(LossesTest, ThoseThatMatterAreAllButBudgetsAndVmsThatAreNotWatched) {
  EXPECT_EQ(ThatMatter(DescribeLosses(ks_kvm_losses{})),
            (std::set<std::string>{"ring_full", "table_update", "row_lookup", "missed_return",
                                   "no_vcpu_slot", "unattributed"}));
  EXPECT_EQ(ThatMatter(DescribeLosses(ks_vhost_losses{})),
            (std::set<std::string>{"ring_full", "table_update", "row_lookup", "missed_return",
                                   "no_queue_slot", "queue_unattributed"}));
  EXPECT_EQ(ThatMatter(DescribeLosses(ks_vmm_losses{})),
            (std::set<std::string>{"ring_full", "row_lookup", "missed_return", "child_untracked"}));
  EXPECT_EQ(
      ThatMatter(DescribeLosses(ks_vfio_losses{})),
      (std::set<std::string>{"ring_full", "row_lookup", "missed_return", "vfio_unattributed"}));
}

}  // namespace
}  // namespace kvmsentry
