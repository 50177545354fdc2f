#include "sensor/rpc/request.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace kvmsentry {
namespace {

using Patterns = google::protobuf::RepeatedPtrField<std::string>;

absl::Status Invalid(absl::string_view field, absl::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", problem));
}

absl::StatusOr<std::vector<std::string>> ReadPatterns(absl::string_view field,
                                                      const Patterns& patterns) {
  if (patterns.size() > kMaxPatterns) {
    return Invalid(
        field, absl::StrCat(patterns.size(), " patterns, at most ", kMaxPatterns, " are taken"));
  }
  for (int i = 0; i < patterns.size(); ++i) {
    const std::string element = absl::StrCat(field, "[", i, "]");
    if (patterns[i].empty()) return Invalid(element, "empty pattern; '*' matches everything");
    if (patterns[i].size() > kMaxPatternBytes) {
      return Invalid(element, absl::StrCat(patterns[i].size(), " bytes, at most ", kMaxPatternBytes,
                                           " are taken"));
    }
  }
  return std::vector<std::string>(patterns.begin(), patterns.end());
}

absl::StatusOr<absl::Time> ReadTime(absl::string_view field,
                                    const google::protobuf::Timestamp& proto) {
  if (proto.nanos() < 0 || proto.nanos() > 999'999'999) {
    return Invalid(field, absl::StrCat(proto.nanos(), " nanoseconds are no part of a second"));
  }
  return absl::FromUnixSeconds(proto.seconds()) + absl::Nanoseconds(proto.nanos());
}

}  // namespace

absl::StatusOr<AlertFilter> ReadFilter(const v1::AlertFilter& proto) {
  AlertFilter filter;
  KVMSENTRY_ASSIGN_OR_RETURN(filter.vm, ReadPatterns("filter.vm", proto.vm()));
  KVMSENTRY_ASSIGN_OR_RETURN(filter.spec, ReadPatterns("filter.spec", proto.spec()));
  if (proto.point_size() > kMaxPoints) {
    return Invalid("filter.point",
                   absl::StrCat(proto.point_size(), " points, at most ", kMaxPoints, " are taken"));
  }
  for (int i = 0; i < proto.point_size(); ++i) {
    const v1::Point point = proto.point(i);
    if (!v1::Point_IsValid(point) || point == v1::POINT_UNSPECIFIED) {
      return Invalid(absl::StrCat("filter.point[", i, "]"),
                     absl::StrCat(static_cast<int>(point), " is no point; they are K1-K7, R1-R5"));
    }
    filter.points.push_back(static_cast<Point>(point));
  }
  if (!v1::Severity_IsValid(proto.min_severity())) {
    return Invalid("filter.min_severity",
                   absl::StrCat(static_cast<int>(proto.min_severity()), " is no severity"));
  }
  filter.min_severity = static_cast<Severity>(proto.min_severity());
  if (proto.has_from()) {
    KVMSENTRY_ASSIGN_OR_RETURN(filter.from, ReadTime("filter.from", proto.from()));
  }
  if (proto.has_until()) {
    KVMSENTRY_ASSIGN_OR_RETURN(filter.until, ReadTime("filter.until", proto.until()));
  }
  if (proto.text().size() > kMaxPatternBytes) {
    return Invalid("filter.text", absl::StrCat(proto.text().size(), " bytes, at most ",
                                               kMaxPatternBytes, " are taken"));
  }
  filter.text = proto.text();
  return filter;
}

absl::StatusOr<Subscription> ReadRequest(const v1::SubscribeRequest& request) {
  Subscription subscription;
  subscription.follow = request.follow();
  subscription.only_new = request.only_new();
  if (request.has_since()) {
    if (request.only_new()) return Invalid("only_new", "excludes since; set one of them");
    if (request.since().epoch() == 0) return Invalid("since.epoch", "0 is never an epoch");
    subscription.since = Position{request.since().epoch(), request.since().sequence()};
  }
  KVMSENTRY_ASSIGN_OR_RETURN(subscription.filter, ReadFilter(request.filter()));
  return subscription;
}

absl::StatusOr<std::vector<std::string>> ReadRequest(const v1::ListVmsRequest& request) {
  return ReadPatterns("vm", request.vm());
}

absl::StatusOr<std::vector<std::string>> ReadRequest(const v1::ListSpecsRequest& request) {
  if (request.id_size() > kMaxPatterns) {
    return Invalid("id",
                   absl::StrCat(request.id_size(), " ids, at most ", kMaxPatterns, " are taken"));
  }
  // Of all specs and all VMs the answer would be larger than clients take.
  if (request.vm_size() > 0 && request.id().empty()) return Invalid("vm", "needs an id, too");
  return ReadPatterns("vm", request.vm());
}

}  // namespace kvmsentry
