#include "sensor/rpc/list_members.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class MembersOnly final : public SensorView {
 public:
  SensorStatus Status() const override { return {}; }
  std::vector<VmView> Vms(bool) const override { return vms; }
  std::vector<SpecView> Specs() const override { return {}; }
  std::optional<MembersView> Members(VmId vm) const override {
    return vm.serial == 1 ? std::optional(members) : std::nullopt;
  }

  void AddVm(uint64_t serial, const std::string& name, const std::string& given) {
    VmView& vm = vms.emplace_back();
    vm.vm.id = {serial};
    vm.vm.name = name;
    vm.vm.given_name = given;
  }
  void Add(absl::string_view feature, uint64_t member) {
    MemberView& view = members.members.emplace_back();
    view.feature = FeatureNamed(feature);
    view.member.first = member;
  }

  std::vector<VmView> vms;
  MembersView members;
};

class ListMembersTest : public ::testing::Test {
 protected:
  ListMembersTest() {
    view_.AddVm(1, "web-1", "web-1");
    view_.AddVm(2, "web-1#2", "web-1");
    view_.AddVm(3, "db", "db");
    view_.members.vm.name = "web-1";
    // By feature, as the sensor gives them: in the catalogue's order.
    for (const Feature& feature : Catalogue()) {
      if (feature.name == "pio.port") {
        for (const uint64_t port : {0x3f8U, 0x60U, 0x64U}) view_.Add(feature.name, port);
      } else if (feature.name == "msr.written") {
        view_.Add(feature.name, 0xc0000082);
        view_.Add(feature.name, kUntoldMember);
      }
    }
    view_.members.left_out[FeatureNamed("pio.port")] = 9;
  }

  std::string Problem(const std::string& vm, const std::string& feature) {
    v1::ListMembersRequest request;
    request.set_vm(vm);
    request.set_feature(feature);
    v1::ListMembersResponse response;
    return std::string(ListMembers(view_, request, response).message());
  }

  MembersOnly view_;
};

TEST_F(ListMembersTest, TellsOneSetWithNamesAndWhatIsLeftOut) {
  v1::ListMembersRequest request;
  request.set_vm("web-1");
  for (const char* set : {"pio.port", "port"}) {
    request.set_feature(set);
    v1::ListMembersResponse response;
    ASSERT_TRUE(ListMembers(view_, request, response).ok());
    ASSERT_EQ(response.members_size(), 3);
    EXPECT_EQ(response.members(0).feature(), "pio.port");
    EXPECT_EQ(response.members(0).text(), "port 0x3f8 (com1)");
    EXPECT_EQ(response.members(0).number(), "0x3f8");
    EXPECT_EQ(response.members(0).name(), "com1");
    ASSERT_EQ(response.left_out_size(), 1);
    EXPECT_EQ(response.left_out(0).sightings(), 9U);
    EXPECT_EQ(response.next_page_token(), "");
  }
}

TEST_F(ListMembersTest, PageByPageEachMemberComesOnce) {
  for (int size = 1; size <= 6; ++size) {
    v1::ListMembersRequest request;
    request.set_vm("web-1");
    request.set_page_size(size);
    std::vector<std::string> texts;
    do {
      v1::ListMembersResponse response;
      ASSERT_TRUE(ListMembers(view_, request, response).ok());
      EXPECT_LE(response.members_size(), size);
      for (const v1::SeenMember& member : response.members()) texts.push_back(member.text());
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty() && texts.size() < 20);
    std::sort(texts.begin(), texts.end());
    EXPECT_THAT(texts,
                ElementsAre("MSR LSTAR (0xc0000082)", "more than are told apart",
                            "port 0x3f8 (com1)", HasSubstr("port 0x60"), HasSubstr("port 0x64")))
        << size;
  }
}

TEST_F(ListMembersTest, NamesTheNearestOfWhatIsNotThere) {
  EXPECT_THAT(Problem("web", ""), HasSubstr("no VM \"web\"; did you mean \"web-1\"?"));
  EXPECT_THAT(Problem("web-1", "pio.prot"), HasSubstr("no feature; did you mean \"pio.port\"?"));
  EXPECT_THAT(Problem("web-1", "pio.rate"), HasSubstr("is no set of members; did you mean"));
  EXPECT_THAT(Problem("db", ""), HasSubstr("\"db\" is not watched"));
  EXPECT_THAT(Problem("\x1b[2J", ""), HasSubstr("no VM \"\\x1b[2J\""));
  view_.vms.erase(view_.vms.begin());
  view_.AddVm(4, "web-1#3", "web-1");
  EXPECT_THAT(Problem("web-1", ""), HasSubstr("2 VMs are called \"web-1\""));
  view_.vms.clear();
  EXPECT_EQ(Problem("web-1", ""), "the sensor knows of no VM");
}

TEST_F(ListMembersTest, RefusesPagesThatCannotBe) {
  v1::ListMembersRequest request;
  request.set_vm("web-1");
  request.set_page_size(1001);
  v1::ListMembersResponse response;
  EXPECT_THAT(std::string(ListMembers(view_, request, response).message()),
              HasSubstr("page_size: 1001"));
  request.set_page_size(0);
  for (const char* token : {"x", "pio.port", "pio.port:x", "bogus:1"}) {
    request.set_page_token(token);
    EXPECT_THAT(std::string(ListMembers(view_, request, response).message()),
                HasSubstr("page_token: "))
        << token;
  }
}

}  // namespace
}  // namespace kvmsentry
