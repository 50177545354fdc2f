// Messages for tests, from texts.
#pragma once

#include <string>

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "sensor/cli/format.h"

namespace kvmsentry {

template <typename Message>
Message FromText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// Without colour, in UTC, on 1970-01-02 00:01:00.
inline Look PlainLook(size_t width = 80) {
  return {.style = Style(false),
          .zone = absl::UTCTimeZone(),
          .now = absl::FromUnixSeconds(86'460),
          .width = width};
}

}  // namespace kvmsentry
