#include "sensor/probe/iterator.h"

#include <cerrno>
#include <string>

#include <bpf/bpf.h>
#include <unistd.h>

namespace kvmsentry {

absl::StatusOr<Fd> IterateOverProcess(int program, int32_t pid) {
  bpf_iter_link_info process{};
  process.task.pid = static_cast<uint32_t>(pid);
  bpf_link_create_opts options{};
  options.sz = sizeof(options);
  options.iter_info = &process;
  options.iter_info_len = sizeof(process);
  Fd link(bpf_link_create(program, 0, BPF_TRACE_ITER, &options));
  if (!link) return absl::ErrnoToStatus(errno, absl::StrCat("iterating over process ", pid));
  return link;
}

absl::Status ReadIterator(int link, size_t size, const std::function<void(const char*)>& visit) {
  const Fd iterator(bpf_iter_create(link));
  if (!iterator) return absl::ErrnoToStatus(errno, "starting an iterator");
  std::string bytes;
  char buffer[32 << 10];  // the kernel's own buffer is eight pages
  for (;;) {
    const ssize_t got = read(iterator.get(), buffer, sizeof(buffer));
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got < 0) return absl::ErrnoToStatus(errno, "reading what an iterator writes");
    if (got == 0) return absl::OkStatus();
    bytes.append(buffer, static_cast<size_t>(got));
    size_t used = 0;
    for (; bytes.size() - used >= size; used += size) visit(bytes.data() + used);
    bytes.erase(0, used);  // of a piece that the buffer cut, the rest comes with the next read
  }
}

}  // namespace kvmsentry
