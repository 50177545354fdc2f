#include "sensor/inventory/host.h"

#include <gtest/gtest.h>

#include "tests/unit/inventory/fake_tree.h"

namespace kvmsentry {
namespace {

TEST(HostTest, ReadsWhatIsThere) {
  FakeTree tree;
  tree.Write("proc/sys/kernel/hostname", "node-7\n");
  tree.Write("proc/sys/kernel/osrelease", "6.1.0-18-amd64\n");
  tree.Write("proc/sys/kernel/random/boot_id", "D3B07384-d9a0-4c9b-8f3e-0123456789ab\n");
  tree.Write("etc/machine-id", "0123456789abcdef0123456789ABCDEF\n");
  const HostFacts facts = ReadHostFacts(tree.root());
  EXPECT_EQ(facts.node, "node-7");
  EXPECT_EQ(facts.kernel_release, "6.1.0-18-amd64");
  EXPECT_EQ(facts.boot_id, "d3b07384-d9a0-4c9b-8f3e-0123456789ab");
  EXPECT_EQ(facts.machine_id, "0123456789abcdef0123456789abcdef");
}

TEST(HostTest, WhatIsMissingOrMalformedIsEmpty) {
  FakeTree tree;
  tree.Write("proc/sys/kernel/hostname", "bad\x1b[2J\n");
  tree.Write("proc/sys/kernel/random/boot_id", "no uuid\n");
  tree.Write("etc/machine-id", "uninitialized\n");
  const HostFacts facts = ReadHostFacts(tree.root());
  EXPECT_EQ(facts.node, "bad\\x1b[2J");
  EXPECT_EQ(facts.kernel_release, "");
  EXPECT_EQ(facts.boot_id, "");
  EXPECT_EQ(facts.machine_id, "");
}

TEST(HostTest, ThisHostHasABootId) { EXPECT_EQ(ReadHostFacts().boot_id.size(), 36U); }

}  // namespace
}  // namespace kvmsentry
