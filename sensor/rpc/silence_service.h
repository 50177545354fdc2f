// The silences, as the API tells and changes them.
#pragma once

#include <memory>

#include <grpcpp/impl/codegen/service_type.h>

#include "kvmsentry/v1/silence.pb.h"
#include "sensor/alert/silence_book.h"

namespace kvmsentry {

v1::Silence ToProto(const Silence& silence);

void ListSilences(const SilenceBook& book, v1::ListSilencesResponse& response);

// INVALID_ARGUMENT "FIELD: what is wrong with it"; else as SilenceBook::Add.
absl::Status AddSilence(SilenceBook& book, const v1::AddSilenceRequest& request,
                        v1::AddSilenceResponse& response);

// SilenceAdmin. BOOK outlives it.
std::unique_ptr<grpc::Service> MakeSilenceAdmin(SilenceBook& book);

}  // namespace kvmsentry
