// GoogleTest's main, of which a filter that matches no test is a failure.
#include <gtest/gtest.h>

#include "tests/support/filter.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  return kvmsentry::EachPatternMatches() ? RUN_ALL_TESTS() : 1;
}
