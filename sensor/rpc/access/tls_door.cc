#include "sensor/rpc/access/tls_door.h"

#include <utility>

namespace kvmsentry {
namespace {

// What the TLS layer has by now. gRPC asks at each handshake, before anything is sent; it frees no
// such state, so it lives with the door's credentials (see Source).
struct Supply {
  const TlsFiles& files;
  uint64_t given = 0;  // gRPC asks under a lock of its own
};

grpc_ssl_certificate_config_reload_status Fetch(void* state,
                                                grpc_ssl_server_certificate_config** config) {
  auto& supply = *static_cast<Supply*>(state);
  const std::shared_ptr<const TlsMaterial> material = supply.files.NewerThan(supply.given);
  if (material == nullptr) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
  const grpc_ssl_pem_key_cert_pair pair = {material->key.c_str(), material->cert.c_str()};
  *config = grpc_ssl_server_certificate_config_create(material->client_ca.c_str(), &pair, 1);
  return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

std::vector<std::string> Values(const grpc_auth_context* context, const char* property) {
  std::vector<std::string> values;
  grpc_auth_property_iterator found = grpc_auth_context_find_properties_by_name(context, property);
  while (const grpc_auth_property* each = grpc_auth_property_iterator_next(&found)) {
    values.emplace_back(each->value, each->value_length);
  }
  return values;
}

}  // namespace

std::unique_ptr<Door> MakeTlsDoor(const TlsFiles& files, const SanRoles& roles,
                                  const std::shared_ptr<Gate>& gate, grpc::ServerBuilder& builder) {
  auto supply = std::make_shared<Supply>(Supply{files});
  grpc_server_credentials* credentials = grpc_ssl_server_credentials_create_with_options(
      grpc_ssl_server_credentials_create_options_using_config_fetcher(
          GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY, Fetch, supply.get()));
  // Holds SUPPLY: the source goes when the credentials do.
  const CallerSource source = [supply, roles](const grpc_auth_context* context) {
    return CallerOf(Sans{.dns = Values(context, GRPC_PEER_DNS_PROPERTY_NAME),
                         .uris = Values(context, GRPC_PEER_URI_PROPERTY_NAME)},
                    roles);
  };
  return std::make_unique<Door>(credentials, gate, source, builder);
}

}  // namespace kvmsentry
