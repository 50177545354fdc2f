// The service SpecAdmin.
#pragma once

#include <memory>

#include <grpcpp/impl/service_type.h>

#include "kvmsentry/v1/spec_admin.pb.h"
#include "sensor/base/status.h"
#include "sensor/rpc/spec_control.h"

namespace kvmsentry {

inline constexpr size_t kMaxSiteBytes = size_t{1} << 20;  // of all names and texts together

// CONTROL outlives it.
std::unique_ptr<grpc::Service> MakeSpecAdmin(SpecControl& control);

// INVALID_ARGUMENT "FIELD: what is wrong with it".
absl::StatusOr<SiteChange> ReadRequest(const v1::ApplySpecsRequest& request);

}  // namespace kvmsentry
