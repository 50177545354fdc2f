#include "sensor/rpc/json.h"

#include <google/protobuf/util/json_util.h>

namespace kvmsentry {

std::string JsonLine(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  // Fails only for a message with an Any or a time out of range; a server of ours sends neither.
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  if (!status.ok()) return "{}\n";
  json.push_back('\n');
  return json;
}

}  // namespace kvmsentry
