// The loader's answers as bytes and descriptors, and back.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sensor/base/fd.h"
#include "sensor/base/status.h"
#include "sensor/loader/message.h"
#include "sensor/probe/loader.h"
#include "wire.pb.h"

namespace kvmsentry {

// A reply under way: its descriptors stay their owners'.
class ReplyWriter {
 public:
  // HOOKS are all hooks, in the order that both sides know.
  explicit ReplyWriter(std::span<const Hook* const> hooks) : hooks_(hooks) {
    reply_.set_is_reply(true);
  }

  void Add(const absl::Status& status);
  void Add(const LoadedObject& object);
  void Add(const PinFolder& folder);
  void Add(const HookCoverage& coverage);
  void Add(const LoadedLink& link);
  void Add(const Fd& opened);
  // Another reply to the same request follows.
  void SetMore() { reply_.set_more(true); }

  absl::Status Send(int socket) const;

 private:
  void Add(const LoadedLink& link, loader::Link* out);

  const std::span<const Hook* const> hooks_;
  loader::Reply reply_;
  std::vector<int> descriptors_;
};

// A reply that came. DATA_LOSS where it is not what a loader sends.
class ReplyReader {
 public:
  ReplyReader(std::span<const Hook* const> hooks, Packet packet)
      : hooks_(hooks), packet_(std::move(packet)) {}

  // First. Whether it is a reply at all.
  bool Parse();
  // That was sent.
  absl::Status status() const;
  bool more() const { return reply_.more(); }

  // Each takes its descriptors, so they are read in the order in which they were added.
  absl::StatusOr<std::vector<LoadedObject>> TakeObjects();
  absl::StatusOr<PinFolder> TakePins();
  absl::StatusOr<std::vector<HookCoverage>> TakeHooks();
  absl::StatusOr<LoadedLink> TakeLink();
  absl::StatusOr<Fd> TakeOpened();

 private:
  absl::StatusOr<Fd> TakeDescriptor();
  absl::StatusOr<LoadedObject> TakeObject(const loader::Object& object);
  absl::StatusOr<LoadedLink> TakeLink(const loader::Link& link);

  std::span<const Hook* const> hooks_;
  Packet packet_;
  loader::Reply reply_;
  size_t taken_ = 0;  // of the packet's descriptors
};

}  // namespace kvmsentry
