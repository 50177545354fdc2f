#include "sensor/spec/selector.h"

#include "gtest/gtest.h"

namespace kvmsentry {
namespace {

VmFacts Web7() {
  VmFacts facts;
  facts.name = "web-7#2";
  facts.given_name = "web-7";
  facts.uuid = "0b9f";
  facts.vmm = "qemu";
  facts.cgroup = "/machine.slice/prod-web.scope";
  return facts;
}

TEST(SelectorTest, EveryFieldThatHasPatternsMustMatchOne) {
  const struct {
    Selector selector;
    bool matches;
  } cases[] = {
      {{}, true},
      {{.vm = {"*"}, .uuid = {}, .cgroup = {}, .vmm = {}}, true},
      {{.vm = {"db-*", "web-?"}, .uuid = {}, .cgroup = {}, .vmm = {}}, true},
      {{.vm = {"db-*"}, .uuid = {}, .cgroup = {}, .vmm = {}}, false},
      {{.vm = {"Web-*"}, .uuid = {}, .cgroup = {}, .vmm = {}}, false},
      {{.vm = {"web-7"}, .uuid = {}, .cgroup = {}, .vmm = {}}, true},
      {{.vm = {"web-7#2"}, .uuid = {}, .cgroup = {}, .vmm = {}}, false},
      {{.vm = {}, .uuid = {"0b*"}, .cgroup = {"*/prod-*"}, .vmm = {"qemu"}}, true},
      {{.vm = {}, .uuid = {"1*"}, .cgroup = {"*/prod-*"}, .vmm = {"qemu"}}, false},
      {{.vm = {}, .uuid = {"0b*"}, .cgroup = {"*/test-*"}, .vmm = {"qemu"}}, false},
      {{.vm = {}, .uuid = {"0b*"}, .cgroup = {"*/prod-*"}, .vmm = {"firecracker"}}, false},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(c.selector.Matches(Web7()), c.matches) << SelectorText(c.selector);
  }
}

TEST(SelectorTest, AVmWithoutUuidMatchesOnlyAnyUuid) {
  VmFacts facts = Web7();
  facts.uuid.clear();
  Selector selector;
  selector.uuid = {"?*"};
  EXPECT_FALSE(selector.Matches(facts));
  selector.uuid = {"*"};
  EXPECT_TRUE(selector.Matches(facts));
}

TEST(SelectorTest, IsSaidInWords) {
  EXPECT_EQ(SelectorText({}), "all VMs");
  Selector selector;
  selector.vm = {"web-*", "*"};
  EXPECT_EQ(SelectorText(selector), "all VMs");
  selector.vm = {"web-*"};
  EXPECT_EQ(SelectorText(selector), "VMs named web-*");
  selector.vm = {"web-*", "db"};
  selector.uuid = {"0b*"};
  selector.cgroup = {"/prod/*"};
  selector.vmm = {"qemu"};
  EXPECT_EQ(SelectorText(selector),
            "VMs named web-* or db, with uuid 0b*, in cgroup /prod/*, run by qemu");
}

TEST(SelectorTest, TextIsBounded) {
  Selector selector;
  selector.vm.assign(64, std::string(256, 'a'));
  const std::string a = std::string(64, 'a') + "...";
  EXPECT_EQ(SelectorText(selector), "VMs named " + a + " or " + a + " or " + a + " or 61 more");
  const std::string whole = SelectorText(selector, {}, TextLength::kWhole);
  EXPECT_EQ(whole.size(), std::string("VMs named ").size() + 64 * 256 + 63 * 4);
}

}  // namespace
}  // namespace kvmsentry
