#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "sensor/cli/format.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

std::string Format(const std::string& text) {
  v1::ListVmsResponse response;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &response));
  return FormatGiven(response, Style(false), absl::UTCTimeZone(), /*width=*/80);
}

TEST(FormatGiven, APageWithWhereEachFactComesFrom) {
  EXPECT_EQ(Format(R"(
      vms { vm { name: "web" vmm: "qemu" pid: 12 uuid: "1f0c" } watched: true given {
        parts { kind: "memory"
          facts { name: "size" number: 67108864 bytes: true origin: COMMAND_LINE }
          facts { name: "slots" number: 1234 origin: DEFAULT } }
        parts { kind: "disk" id: "vda"
          facts { name: "path" text: "/a" origin: OPEN_FILE }
          facts { name: "size" } facts { name: "format" }
          facts { name: "backing" list { } origin: LIBVIRT }
          facts { name: "read-only" flag: true origin: COMMAND_LINE } }
        parts { kind: "window" id: "serial port"
          facts { name: "ports" text: "0x3f8-0x3ff" origin: DEFAULT } }
        parts { kind: "migration" facts { name: "incoming" } }
        gaps: "a file" changed_at { seconds: 60 } changes: "x was added" changes: "y changed" } })"),
            "web  qemu, pid 12, uuid 1f0c\n"
            "PART                FACT       FROM          VALUE\n"
            "memory              size       command line  64 MiB\n"
            "                    slots      default       1,234\n"
            "disk vda            path       open file     /a\n"
            "                    backing    libvirt       none\n"
            "                    read-only  command line  yes\n"
            "                    unknown                  size, format\n"
            "window serial port  ports      default       0x3f8-0x3ff\n"
            "migration           unknown                  incoming\n"
            "not known: a file\n"
            "changed at 1970-01-01 00:01:00: x was added; y changed\n");
}

TEST(FormatGiven, SaysWhyThereIsNothing) {
  EXPECT_EQ(Format(""), "no VM of that name\n");
  EXPECT_THAT(Format("vms { watched: true }"), HasSubstr("was not read yet"));
  EXPECT_THAT(Format("vms { watched: false }"), HasSubstr("it is not watched"));
}

TEST(FormatGiven, NothingInItCanCommandATerminal) {
  const std::string page = Format(R"(
      vms { vm { name: "\033[2J\n" vmm: "\033" uuid: "\n" } watched: true given {
        parts { kind: "\033" id: "\n" facts { name: "\r" text: "\033]0;x\007" } }
        gaps: "\033" changed_at { } changes: "\n" } })");
  for (const char c : page) EXPECT_TRUE(c == '\n' || (c >= ' ' && c < 0x7f)) << int{c};
  EXPECT_EQ(std::count(page.begin(), page.end(), '\n'), 5);
}

}  // namespace
}  // namespace kvmsentry
