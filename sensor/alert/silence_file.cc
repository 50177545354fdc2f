#include "sensor/alert/silence_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include <fcntl.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>
#include <sys/stat.h>

#include "sensor/base/durable_file.h"
#include "sensor/base/enum_within.h"
#include "sensor/inventory/files.h"
#include "silences.pb.h"

namespace kvmsentry {
namespace {

// Far more than as many silences as there may be take.
constexpr size_t kMaxBytes = 4 << 20;

Silence Decode(const journal::KeptSilence& kept) {
  return {.id = kept.id(),
          .match = {.vm = kept.vm(),
                    .spec = kept.spec(),
                    .point = EnumWithin(kept.point(), Point::kR5),
                    .max_severity = EnumWithin(kept.max_severity(), Severity::kCritical)},
          .created_at = absl::FromUnixNanos(kept.created_at_ns()),
          .ends_at = absl::FromUnixNanos(kept.ends_at_ns()),
          .ends_at_latest = {},
          .comment = kept.comment(),
          .author = kept.author()};
}

void Encode(const Silence& silence, journal::KeptSilence& kept) {
  kept.set_id(silence.id);
  kept.set_vm(silence.match.vm);
  kept.set_spec(silence.match.spec);
  kept.set_point(static_cast<uint32_t>(silence.match.point));
  kept.set_max_severity(static_cast<uint32_t>(silence.match.max_severity));
  kept.set_created_at_ns(absl::ToUnixNanos(silence.created_at));
  kept.set_ends_at_ns(absl::ToUnixNanos(silence.ends_at));
  kept.set_comment(silence.comment);
  kept.set_author(silence.author);
}

}  // namespace

absl::StatusOr<KeptSilences> ReadSilences(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFileAt(AT_FDCWD, path, kMaxBytes);
  if (absl::IsNotFound(text.status())) return KeptSilences();
  if (!text.ok()) return text.status();
  journal::KeptSilences proto;
  google::protobuf::TextFormat::Parser parser;
  parser.AllowUnknownField(true);  // of a later version
  // protobuf would log what is wrong, and where: nobody reads that.
  struct Quiet final : google::protobuf::io::ErrorCollector {
    void AddError(int line, int, const std::string& message) override {
      if (first.empty()) first = absl::StrCat("line ", line + 1, ": ", message);
    }
    std::string first;
  } errors;
  parser.RecordErrorsTo(&errors);
  if (!parser.ParseFromString(*text, &proto)) {
    return absl::DataLossError(absl::StrCat(path, ": ", errors.first));
  }
  KeptSilences kept{.last_id = proto.last_id()};
  for (const journal::KeptSilence& silence : proto.silence()) {
    kept.last_id = std::max(kept.last_id, silence.id());
    kept.silences.push_back(Decode(silence));
  }
  return kept;
}

absl::Status WriteSilences(const std::string& path, const KeptSilences& kept) {
  journal::KeptSilences proto;
  proto.set_last_id(kept.last_id);
  for (const Silence& silence : kept.silences) Encode(silence, *proto.add_silence());
  std::string text;
  google::protobuf::TextFormat::PrintToString(proto, &text);
  const std::string next = path + ".next";
  KVMSENTRY_RETURN_IF_ERROR(WriteDurably(next, text, S_IRUSR | S_IWUSR, IfThere::kReplace));
  if (rename(next.c_str(), path.c_str()) != 0) return absl::ErrnoToStatus(errno, path);
  // Else the new name may be lost with the power, and an ended silence be back.
  return Sync(std::filesystem::path(path).parent_path());
}

}  // namespace kvmsentry
