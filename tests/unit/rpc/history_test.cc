#include "sensor/rpc/history.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/alert/memory_journal.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class HistoryTest : public ::testing::Test {
 protected:
  void Append(const std::string& key, AlertState state, Severity severity) {
    JournaledAlert alert;
    alert.event.key = key;
    alert.event.vm.id = {key == "b" ? 2U : 1U};
    alert.event.state = state;
    alert.event.severity = severity;
    ASSERT_TRUE(journal_.Append(std::move(alert)).ok());
  }

  // What is silenced now, by key.
  std::string silenced_key_;
  const SilencedByNow silenced_by_ = [this](const AlertEvent& event) {
    return event.key == silenced_key_ ? uint64_t{7} : uint64_t{0};
  };

  // Page by page.
  std::vector<uint64_t> List(v1::ListAlertsRequest request) {
    std::vector<uint64_t> sequences;
    do {
      v1::ListAlertsResponse response;
      EXPECT_TRUE(ListAlerts(journal_, request, response).ok());
      for (const v1::Alert& alert : response.alerts()) {
        sequences.push_back(alert.position().sequence());
      }
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    return sequences;
  }
  std::vector<std::string> Open(v1::ListOpenAlertsRequest request) {
    std::vector<std::string> keys;
    do {
      v1::ListOpenAlertsResponse response;
      EXPECT_TRUE(ListOpen(journal_, silenced_by_, request, response).ok());
      for (const v1::Alert& alert : response.alerts()) keys.push_back(alert.key());
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    return keys;
  }

  MemoryJournal journal_{9, 20'000};
};

TEST_F(HistoryTest, GivesTheNewestFirstInPagesOfAnySize) {
  for (int i = 0; i < 7; ++i) Append("a", AlertState::kOpen, Severity::kInfo);
  for (const int size : {0, 1, 2, 7, 1000}) {
    v1::ListAlertsRequest request;
    request.set_page_size(size);
    EXPECT_THAT(List(request), ElementsAre(7, 6, 5, 4, 3, 2, 1)) << size;
  }
}

TEST_F(HistoryTest, ASearchForWhatIsRareEndsInTheEnd) {
  Append("a", AlertState::kOpen, Severity::kCritical);
  for (int i = 0; i < 10'000; ++i) Append("b", AlertState::kOpen, Severity::kInfo);
  v1::ListAlertsRequest request;
  request.mutable_filter()->set_min_severity(v1::CRITICAL);
  v1::ListAlertsResponse first;
  ASSERT_TRUE(ListAlerts(journal_, request, first).ok());
  EXPECT_THAT(first.alerts(), IsEmpty());
  EXPECT_NE(first.next_page_token(), "");
  EXPECT_THAT(List(request), ElementsAre(1));
}

TEST_F(HistoryTest, ASeverityCutsNoLifeInTwo) {
  Append("a", AlertState::kOpen, Severity::kNotice);
  Append("a", AlertState::kUpdated, Severity::kCritical);
  Append("b", AlertState::kOpen, Severity::kNotice);
  Append("a", AlertState::kUpdated, Severity::kInfo);
  Append("a", AlertState::kCleared, Severity::kInfo);
  v1::ListAlertsRequest request;
  request.mutable_filter()->set_min_severity(v1::WARNING);
  EXPECT_THAT(List(request), ElementsAre(5, 4, 2));
}

TEST_F(HistoryTest, GivesWhatIsOpenByVmAndKey) {
  for (const char* key : {"c", "b", "a"}) Append(key, AlertState::kOpen, Severity::kNotice);
  Append("d", AlertState::kOpen, Severity::kNotice);
  Append("d", AlertState::kCleared, Severity::kInfo);
  for (const int size : {0, 1, 2}) {
    v1::ListOpenAlertsRequest request;
    request.set_page_size(size);
    EXPECT_THAT(Open(request), ElementsAre("a", "c", "b")) << size;
  }
}

TEST_F(HistoryTest, RefusesWhatItCannotRead) {
  const auto list = [this](const v1::ListAlertsRequest& request) {
    v1::ListAlertsResponse response;
    return std::string(ListAlerts(journal_, request, response).message());
  };
  v1::ListAlertsRequest size, token, filter;
  size.set_page_size(1001);
  EXPECT_THAT(list(size), HasSubstr("page_size"));
  token.set_page_token("x");
  EXPECT_THAT(list(token), HasSubstr("page_token"));
  filter.mutable_filter()->set_text(std::string(257, 'x'));
  EXPECT_THAT(list(filter), HasSubstr("filter.text"));
  filter.mutable_filter()->set_text("");
  filter.mutable_filter()->mutable_from()->set_nanos(-1);
  EXPECT_THAT(list(filter), HasSubstr("filter.from"));
  v1::ListOpenAlertsRequest open;
  open.set_page_token("no number:x");
  v1::ListOpenAlertsResponse response;
  EXPECT_EQ(ListOpen(journal_, silenced_by_, open, response).code(),
            absl::StatusCode::kInvalidArgument);
}

// What is silenced is asked of now, not of when the alert opened.
TEST_F(HistoryTest, WhatIsOpenTellsWhetherItIsSilencedNow) {
  Append("a", AlertState::kOpen, Severity::kInfo);
  Append("b", AlertState::kOpen, Severity::kInfo);
  silenced_key_ = "b";
  v1::ListOpenAlertsResponse response;
  ASSERT_TRUE(ListOpen(journal_, silenced_by_, {}, response).ok());
  ASSERT_EQ(response.alerts_size(), 2);
  EXPECT_EQ(response.alerts(0).silenced_by(), 0U);
  EXPECT_EQ(response.alerts(1).silenced_by(), 7U);
  v1::ListOpenAlertsRequest request;
  request.mutable_filter()->set_hide_silenced(true);
  EXPECT_THAT(Open(request), ElementsAre("a"));
}

}  // namespace
}  // namespace kvmsentry
