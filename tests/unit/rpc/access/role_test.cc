#include "sensor/rpc/access/role.h"

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

TEST(Role, TheServicesNameDecides) {
  EXPECT_EQ(RoleNeeded("/kvmsentry.v1.SpecAdmin/Reload"), Role::kAdmin);
  EXPECT_EQ(RoleNeeded("/Admin/X"), Role::kAdmin);
  EXPECT_EQ(RoleNeeded("/kvmsentry.v1.Sensor/GetStatus"), Role::kViewer);
  // Only the service counts, and only its end.
  EXPECT_EQ(RoleNeeded("/kvmsentry.v1.Sensor/ListAdmin"), Role::kViewer);
  EXPECT_EQ(RoleNeeded("/kvmsentry.v1.AdminView/List"), Role::kViewer);
}

// gRPC calls no handler for such a path; the role must not depend on how it takes it apart.
TEST(Role, WhatIsNoMethodHasNoServiceButTheLastPartIsTheMethod) {
  for (const char* wrong : {"", "/", "//", "SpecAdmin/Reload", "/SpecAdmin"}) {
    EXPECT_EQ(ServiceOf(wrong), "") << wrong;
  }
  EXPECT_EQ(RoleNeeded("/x/kvmsentry.v1.SpecAdmin/Reload"), Role::kAdmin);
}

TEST(Role, AHigherRoleIsGreater) {
  EXPECT_LT(Role::kNone, Role::kViewer);
  EXPECT_LT(Role::kViewer, Role::kAdmin);
}

}  // namespace
}  // namespace kvmsentry
