#include "sensor/rpc/access/connection_table.h"

#include <deque>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "sensor/base/fd.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

const Connector kRoot{Wire::kUnix, "uid 0", true};
const Connector kAlice{Wire::kUnix, "uid 1000", false};
const Connector kBob{Wire::kUnix, "uid 1001", false};

Connector From(const std::string& address) { return {Wire::kTcp, "address " + address, false}; }

class ConnectionTableTest : public ::testing::Test {
 protected:
  // How many come in, of WANTED.
  int Connect(const Connector& connector, int wanted) {
    for (int i = 0; i < wanted; ++i) {
      excess_ = table_.Check(connector);
      if (excess_) return i;
      sockets_.emplace_back(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
      table_.Add(sockets_.back().get(), connector, /*door=*/7);
    }
    return wanted;
  }

  ConnectionTable table_{64};
  std::deque<Fd> sockets_;
  std::optional<Excess> excess_;
};

TEST_F(ConnectionTableTest, AUserHasAQuarterAndOthersStillComeIn) {
  EXPECT_EQ(Connect(kAlice, 100), 16);
  EXPECT_EQ(excess_->refusal, Refusal::kCallerConnections);
  EXPECT_THAT(excess_->why, HasSubstr("uid 1000 has 16 connections, the most of one user; end some,"
                                      " or raise --max-connections"));
  EXPECT_EQ(Connect(kBob, 1), 1);
}

TEST_F(ConnectionTableTest, RootHasAllThatAreLeft) {
  EXPECT_EQ(Connect(kAlice, 16), 16);
  EXPECT_EQ(Connect(kRoot, 100), 48);
  EXPECT_EQ(excess_->refusal, Refusal::kConnections);
  EXPECT_THAT(excess_->why, HasSubstr("64 connections are open, of 64 at most"));
}

TEST_F(ConnectionTableTest, ManyUsersTogetherLeaveSomeForAdmins) {
  int in = 0;
  for (int uid = 1; uid < 10; ++uid) {
    in += Connect({Wire::kUnix, "uid " + std::to_string(uid), false}, 16);
  }
  EXPECT_EQ(in, 60);
  EXPECT_EQ(Connect(kRoot, 100), 4);
}

TEST_F(ConnectionTableTest, TcpHasHalfAndAnAddressAnEighth) {
  EXPECT_EQ(Connect(From("10.0.0.1"), 100), 8);
  EXPECT_EQ(excess_->refusal, Refusal::kCallerConnections);
  for (const char* address : {"10.0.0.2", "10.0.0.3", "10.0.0.4"}) Connect(From(address), 8);
  EXPECT_EQ(Connect(From("10.0.0.5"), 1), 0);
  EXPECT_EQ(excess_->refusal, Refusal::kConnections);
  EXPECT_EQ(Connect(kAlice, 1), 1);
}

TEST_F(ConnectionTableTest, WhatHasEndedMakesRoom) {
  EXPECT_EQ(Connect(kAlice, 100), 16);
  sockets_.pop_front();
  EXPECT_EQ(Connect(kAlice, 100), 1);
  EXPECT_TRUE(table_.DoorInUse(7));
  EXPECT_FALSE(table_.DoorInUse(8));
  sockets_.clear();
  table_.Sweep();
  EXPECT_EQ(table_.size(), 0U);
  EXPECT_FALSE(table_.DoorInUse(7));
}

TEST_F(ConnectionTableTest, ANumberThatIsAnotherFileNowIsNoConnection) {
  EXPECT_EQ(Connect(kAlice, 1), 1);
  const int number = sockets_.front().release();
  const Fd other(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(dup3(other.get(), number, O_CLOEXEC), number);
  table_.Sweep();
  EXPECT_EQ(table_.size(), 0U);
  close(number);
}

TEST_F(ConnectionTableTest, OfFewConnectionsEachMayStillHaveOne) {
  ConnectionTable one(1);
  EXPECT_FALSE(one.Check(kAlice));
  EXPECT_FALSE(one.Check(From("10.0.0.1")));
}

}  // namespace
}  // namespace kvmsentry
