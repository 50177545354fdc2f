#include "sensor/rpc/silence_service.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "spdlog/spdlog.h"

#include "kvmsentry/v1/silence.grpc.pb.h"
#include "sensor/base/escape.h"
#include "sensor/rpc/convert.h"
#include "sensor/rpc/convert_parts.h"
#include "sensor/rpc/subscribers.h"

namespace kvmsentry {
namespace {

absl::StatusOr<SilenceMatch> ReadMatch(const v1::SilenceMatch& proto) {
  if (!v1::Point_IsValid(proto.point())) {
    return absl::InvalidArgumentError(absl::StrCat("match.point: ", static_cast<int>(proto.point()),
                                                   " is no point; they are K1-K7, R1-R5"));
  }
  if (!v1::Severity_IsValid(proto.max_severity())) {
    return absl::InvalidArgumentError(absl::StrCat(
        "match.max_severity: ", static_cast<int>(proto.max_severity()), " is no severity"));
  }
  return SilenceMatch{.vm = proto.vm(),
                      .spec = proto.spec(),
                      .point = static_cast<Point>(proto.point()),
                      .max_severity = static_cast<Severity>(proto.max_severity())};
}

// Who silenced what must be found in the log, too.
void Log(absl::string_view what, const Silence& silence) {
  spdlog::info(
      "silence {} {} by {}: vm {}, spec {}, point {}, until {}: {}", silence.id, std::string(what),
      silence.author.empty() ? "-" : silence.author,
      silence.match.vm.empty() ? "any" : Escape(silence.match.vm),
      silence.match.spec.empty() ? "any" : Escape(silence.match.spec),
      silence.match.point == Point::kNone ? "any" : std::string(PointName(silence.match.point)),
      absl::FormatTime(silence.ends_at), silence.comment);
}

class SilenceAdminService final : public v1::SilenceAdmin::CallbackService {
 public:
  explicit SilenceAdminService(SilenceBook& book) : book_(book) {}

  grpc::ServerUnaryReactor* Add(grpc::CallbackServerContext* context,
                                const v1::AddSilenceRequest* request,
                                v1::AddSilenceResponse* response) override {
    return Finish(context, AddSilence(book_, *request, *response));
  }

  grpc::ServerUnaryReactor* End(grpc::CallbackServerContext* context,
                                const v1::EndSilenceRequest* request,
                                v1::EndSilenceResponse* response) override {
    const absl::StatusOr<Silence> ended = book_.End(request->id());
    if (!ended.ok()) return Finish(context, ended.status());
    Log("was ended; it was made", *ended);
    *response->mutable_silence() = ToProto(*ended);
    return Finish(context, absl::OkStatus());
  }

 private:
  static grpc::ServerUnaryReactor* Finish(grpc::CallbackServerContext* context,
                                          const absl::Status& status) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(ToGrpc(status));
    return reactor;
  }

  SilenceBook& book_;
};

}  // namespace

v1::Silence ToProto(const Silence& silence) {
  v1::Silence proto;
  proto.set_id(silence.id);
  v1::SilenceMatch& match = *proto.mutable_match();
  match.set_vm(EscapeAgain(silence.match.vm));
  match.set_spec(EscapeAgain(silence.match.spec));
  match.set_point(Cast<v1::Point>(silence.match.point));
  match.set_max_severity(Cast<v1::Severity>(silence.match.max_severity));
  *proto.mutable_created_at() = ToProto(silence.created_at);
  *proto.mutable_ends_at() = ToProto(silence.ends_at);
  proto.set_comment(EscapeAgain(silence.comment));
  proto.set_author(EscapeAgain(silence.author));
  return proto;
}

void ListSilences(const SilenceBook& book, v1::ListSilencesResponse& response) {
  for (const Silence& silence : book.Active()) *response.add_silences() = ToProto(silence);
  response.set_problem(EscapeAgain(book.problem()));
}

absl::Status AddSilence(SilenceBook& book, const v1::AddSilenceRequest& request,
                        v1::AddSilenceResponse& response) {
  KVMSENTRY_ASSIGN_OR_RETURN(SilenceMatch match, ReadMatch(request.match()));
  const absl::Duration lasts =
      absl::Seconds(request.lasts().seconds()) + absl::Nanoseconds(request.lasts().nanos());
  KVMSENTRY_ASSIGN_OR_RETURN(const Silence silence, book.Add(std::move(match), lasts,
                                                             request.comment(), request.author()));
  Log("was made", silence);
  *response.mutable_silence() = ToProto(silence);
  response.set_kept(book.kept());
  return absl::OkStatus();
}

std::unique_ptr<grpc::Service> MakeSilenceAdmin(SilenceBook& book) {
  return std::make_unique<SilenceAdminService>(book);
}

}  // namespace kvmsentry
