#include "sensor/loader/serve.h"

#include <utility>
#include <vector>

#include <malloc.h>

#include "sensor/loader/codec.h"
#include "sensor/loader/message.h"

namespace kvmsentry {
namespace {

// Open until it was sent, and no longer: the loader must not keep attached what the daemon
// detaches.
struct Held {
  LoadedObject self;
  LoadedLink link;
  Fd opened;
};

class Service {
 public:
  Service(int socket, std::span<const Hook* const> hooks, Loader& loader)
      : socket_(socket), hooks_(hooks), loader_(loader) {}

  absl::Status Answer(const LoaderRequest& request) {
    Held held;
    ReplyWriter last(hooks_);
    last.Add(Do(request, held, last));
    return last.Send(socket_);
  }

 private:
  // What was asked for; the last reply to it is LAST, but for the status.
  absl::Status Do(const LoaderRequest& request, Held& held, ReplyWriter& last) {
    switch (request.task) {
      case LoaderTask::kPrepare:
        return Prepare(held, last);
      case LoaderTask::kAttach:
        return Attach(request, last);
      case LoaderTask::kReattach: {
        KVMSENTRY_ASSIGN_OR_RETURN(held.link, loader_.Reattach(request.object, request.program));
        last.Add(held.link);
        return absl::OkStatus();
      }
      case LoaderTask::kDetach:
        return loader_.Detach(request.object, request.program);
      case LoaderTask::kCountRunTimes: {
        KVMSENTRY_ASSIGN_OR_RETURN(held.opened, loader_.CountRunTimes());
        last.Add(held.opened);
        return absl::OkStatus();
      }
    }
    return absl::InvalidArgumentError("the loader knows no such request");
  }

  // The pins first: whatever fails after, the daemon knows which of them to remove.
  absl::Status Prepare(Held& held, ReplyWriter& last) {
    KVMSENTRY_ASSIGN_OR_RETURN(Loader::Prepared prepared, loader_.Prepare());
    folder_ = std::move(prepared.folder);
    ReplyWriter pins(hooks_);
    pins.Add(folder_);
    pins.SetMore();
    KVMSENTRY_RETURN_IF_ERROR(pins.Send(socket_));
    KVMSENTRY_RETURN_IF_ERROR(SendEach(prepared.maps));
    held.self = std::move(prepared.self);
    last.Add(held.self);
    return absl::OkStatus();
  }

  absl::Status Attach(const LoaderRequest& request, ReplyWriter& last) {
    std::vector<const Hook*> asked;
    if (request.hook_count > LoaderRequest::kMostHooks) {
      return absl::InvalidArgumentError("more hooks than a request holds");
    }
    for (const uint16_t place : std::span(request.hooks).first(request.hook_count)) {
      if (place >= hooks_.size()) return absl::InvalidArgumentError("there is no such hook");
      asked.push_back(hooks_[place]);
    }
    KVMSENTRY_ASSIGN_OR_RETURN(const Loader::Attached attached, loader_.Attach(asked));
    KVMSENTRY_RETURN_IF_ERROR(SendEach(attached.objects));
    for (const HookCoverage& coverage : attached.coverage) last.Add(coverage);
    return absl::OkStatus();
  }

  // A reply each: of all together the descriptors would be too many for one.
  absl::Status SendEach(const std::vector<LoadedObject>& objects) {
    for (const LoadedObject& object : objects) {
      ReplyWriter reply(hooks_);
      reply.Add(object);
      reply.SetMore();
      KVMSENTRY_RETURN_IF_ERROR(reply.Send(socket_));
    }
    return absl::OkStatus();
  }

  const int socket_;
  const std::span<const Hook* const> hooks_;
  Loader& loader_;
  PinFolder folder_;  // held: as long as one of the two processes lives, no other daemon counts
};

}  // namespace

absl::Status ServeLoader(int socket, std::span<const Hook* const> hooks, Loader& loader) {
  Service service(socket, hooks, loader);
  LoaderRequest request;
  for (;;) {
    KVMSENTRY_ASSIGN_OR_RETURN(const bool there, ReadRequest(socket, &request));
    if (!there) return absl::OkStatus();
    KVMSENTRY_RETURN_IF_ERROR(service.Answer(request));
    malloc_trim(0);  // it waits for long now, and the kernel's types took much
  }
}

}  // namespace kvmsentry
