// ports PORT VALUE COUNT: writes a byte to an I/O port, so often. Inside the guest, where there is
// no library, and no other program that writes twice to one place of /dev/port.
#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const auto port = static_cast<off_t>(std::strtoul(argv[1], nullptr, 0));
  const auto value = static_cast<unsigned char>(std::strtoul(argv[2], nullptr, 0));
  const int ports = open("/dev/port", O_WRONLY);
  for (unsigned long left = std::strtoul(argv[3], nullptr, 0); left > 0; --left) {
    if (pwrite(ports, &value, 1, port) == 1) continue;
    std::perror("/dev/port");
    return 1;
  }
  return 0;
}
