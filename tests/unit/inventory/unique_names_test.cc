#include "sensor/inventory/unique_names.h"

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

TEST(UniqueNamesTest, TheFirstKeepsItsNameAndOthersAreNumbered) {
  UniqueNames names;
  EXPECT_EQ(names.Take("web"), "web");
  EXPECT_EQ(names.Take("web"), "web#2");
  EXPECT_EQ(names.Take("db"), "db");
  EXPECT_EQ(names.Take("web"), "web#3");
}

TEST(UniqueNamesTest, AFreedNumberIsUsedAgain) {
  UniqueNames names;
  names.Take("web");
  names.Take("web");
  names.Take("web");
  names.Release("web", "web#2");
  EXPECT_EQ(names.Take("web"), "web#2");
  names.Release("web", "web");
  EXPECT_EQ(names.Take("web"), "web");
}

TEST(UniqueNamesTest, ANameThatLooksNumberedIsNumberedItself) {
  UniqueNames names;
  EXPECT_EQ(names.Take("web#2"), "web#2#1");
  EXPECT_EQ(names.Take("web"), "web");
  EXPECT_EQ(names.Take("web"), "web#2");
  EXPECT_EQ(names.Take("web#2"), "web#2#2");
  EXPECT_EQ(names.Take("web#2#2"), "web#2#2#1");
  EXPECT_EQ(names.Take("c#"), "c#");
  EXPECT_EQ(names.Take("#2x"), "#2x");
}

TEST(UniqueNamesTest, ReleasingWhatWasNotTakenIsNothing) {
  UniqueNames names;
  names.Release("web", "web");
  names.Take("web");
  names.Release("web", "web#2");
  EXPECT_EQ(names.Take("web"), "web#2");
}

}  // namespace
}  // namespace kvmsentry
