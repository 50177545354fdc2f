// Block devices over files.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "sensor/base/fd.h"

namespace kvmsentry {

struct Loop {
  std::string path;  // "/dev/loop0"
  Fd fd;             // for direct access; the device goes with the last one
};

inline Loop OpenLoop(const std::string& image, uint64_t bytes) {
  const Fd file(open(image.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  EXPECT_EQ(ftruncate(file.get(), static_cast<off_t>(bytes)), 0);
  const Fd control(open("/dev/loop-control", O_RDWR | O_CLOEXEC));
  Loop loop{absl::StrCat("/dev/loop", ioctl(control.get(), LOOP_CTL_GET_FREE)), Fd()};
  loop.fd = Fd(open(loop.path.c_str(), O_RDWR | O_CLOEXEC | O_DIRECT));
  loop_config config{};
  config.fd = static_cast<uint32_t>(file.get());
  config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
  EXPECT_EQ(ioctl(loop.fd.get(), LOOP_CONFIGURE, &config), 0)
      << loop.path << ": " << strerror(errno) << ": load the module loop";
  return loop;
}

}  // namespace kvmsentry
