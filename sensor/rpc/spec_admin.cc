#include "sensor/rpc/spec_admin.h"

#include <set>
#include <utility>

#include "absl/strings/ascii.h"

#include "kvmsentry/v1/spec_admin.grpc.pb.h"
#include "sensor/base/escape.h"
#include "sensor/rpc/convert.h"
#include "sensor/rpc/subscribers.h"
#include "sensor/spec/layers.h"

namespace kvmsentry {
namespace {

constexpr int kMaxSiteFiles = 256;
constexpr size_t kMaxNameBytes = 128;
constexpr size_t kSha256Digits = 64;

bool IsPlainName(absl::string_view name) {
  for (const char c : name) {
    const bool plain =
        absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
    if (!plain) return false;
  }
  return name.size() <= kMaxNameBytes && IsSpecFileName(name);
}

// Answers REACTOR by what a change came to.
template <typename Response>
SpecControl::Done Answer(grpc::ServerUnaryReactor* reactor, Response* response) {
  return [reactor, response](absl::StatusOr<LoadedSpecs> loaded) {
    if (loaded.ok()) {
      *response->mutable_library() = ToProto(loaded->library);
      for (const std::string& warning : loaded->warnings) {
        response->add_warnings(EscapeAgain(warning));
      }
    }
    reactor->Finish(ToGrpc(loaded.status()));
  };
}

class SpecAdminService final : public v1::SpecAdmin::CallbackService {
 public:
  explicit SpecAdminService(SpecControl& control) : control_(control) {}

  grpc::ServerUnaryReactor* Apply(grpc::CallbackServerContext* context,
                                  const v1::ApplySpecsRequest* request,
                                  v1::ApplySpecsResponse* response) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    absl::StatusOr<SiteChange> change = ReadRequest(*request);
    if (change.ok()) {
      control_.Apply(*std::move(change), Answer(reactor, response));
    } else {
      reactor->Finish(ToGrpc(change.status()));
    }
    return reactor;
  }

  grpc::ServerUnaryReactor* Reload(grpc::CallbackServerContext* context,
                                   const v1::ReloadSpecsRequest*,
                                   v1::ReloadSpecsResponse* response) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    control_.Reload(Answer(reactor, response));
    return reactor;
  }

 private:
  SpecControl& control_;
};

}  // namespace

absl::StatusOr<SiteChange> ReadRequest(const v1::ApplySpecsRequest& request) {
  SiteChange change{.files = {},
                    .validate_only = request.validate_only(),
                    .if_sha256 = request.if_library_sha256()};
  if (request.files_size() > kMaxSiteFiles) {
    return absl::InvalidArgumentError(
        absl::StrCat("files: there are ", request.files_size(), "; at most ", kMaxSiteFiles));
  }
  std::set<absl::string_view> names;
  size_t bytes = 0;
  for (const v1::SiteSpecFile& file : request.files()) {
    const std::string shown = Escape(file.name(), kMaxNameBytes);
    if (!IsPlainName(file.name())) {
      return absl::InvalidArgumentError(
          absl::StrCat("files: name \"", shown,
                       "\" is refused; write NAME.textproto, NAME of "
                       "letters, digits, '-', '_' and '.', not beginning with '.'"));
    }
    if (!names.insert(file.name()).second) {
      return absl::InvalidArgumentError(absl::StrCat("files: \"", shown, "\" is there twice"));
    }
    bytes += file.name().size() + file.text().size();
    if (bytes > kMaxSiteBytes) {
      return absl::InvalidArgumentError("files: more than 1 MiB in all");
    }
    change.files.push_back({file.name(), file.text()});
  }
  if (!change.if_sha256.empty() && change.if_sha256.size() != kSha256Digits) {
    return absl::InvalidArgumentError("if_library_sha256: is no SHA-256 in hexadecimal digits");
  }
  return change;
}

std::unique_ptr<grpc::Service> MakeSpecAdmin(SpecControl& control) {
  return std::make_unique<SpecAdminService>(control);
}

}  // namespace kvmsentry
