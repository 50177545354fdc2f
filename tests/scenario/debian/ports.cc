// ports PORT VALUE COUNT: writes a byte to an I/O port, so often, as fast as it can. Inside the
// guest, where there is no library.
#include <cstdio>
#include <cstdlib>

#include <sys/io.h>

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const auto port = static_cast<unsigned short>(std::strtoul(argv[1], nullptr, 0));
  const auto value = static_cast<unsigned char>(std::strtoul(argv[2], nullptr, 0));
  if (ioperm(port, 1, 1) != 0) {
    std::perror("ioperm");
    return 1;
  }
  for (unsigned long left = std::strtoul(argv[3], nullptr, 0); left > 0; --left) outb(value, port);
  return 0;
}
