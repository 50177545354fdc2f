// What ThreadSanitizer must know wherever it runs, in each program that is built with it.
//
// Debian's gRPC is not instrumented, so its locks are not seen. What its libraries do is ignored;
// but the callback API is in good part inline, and what its own objects pass from one of its
// threads to another then looks like a race. Only those objects' own functions are listed: calls of
// ours that run below gRPC's (reactions) stay checked, as no pattern matches a frame of theirs.
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_suppressions();

extern "C" const char* __tsan_default_options() { return "ignore_noninstrumented_modules=1"; }

extern "C" const char* __tsan_default_suppressions() {
  return "race_top:grpc::\n"
         "race:grpc::internal::CallOpSet<\n"
         "race:grpc::internal::CallbackWithSuccessTag::Set\n"
         "race:grpc::internal::CallbackWithSuccessTag::Clear\n"
         "race:grpc::internal::ServerCallbackCall::ServerCallbackCall\n"
         "race:grpc::internal::ServerCallbackCall::Unref\n"
         "race:grpc::internal::Callback*Handler<*::Deserialize\n"
         "race:ServerCallback*Impl::ServerCallback\n"
         "race:ServerCallback*Impl::~ServerCallback\n"
         "race:ServerCallback*Impl::Finish\n"
         "race:ServerCallback*Impl::SendInitialMetadata\n"
         "race:ServerCallback*Impl::Write\n"
         "race:PreBindBacklog::\n"
         "race:ServerUnaryReactor::InternalBindCall\n"
         "race:Reactor<*::InternalBind\n";
}
