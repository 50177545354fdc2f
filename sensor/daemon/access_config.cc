#include "sensor/daemon/access_config.h"

#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/str_join.h"

#include "sensor/base/endpoint.h"
#include "sensor/usage/values.h"

namespace kvmsentry {
namespace {

std::string ProblemWithSan(const std::string& pattern) {
  return std::string(CheckSanPattern(pattern).message());
}

}  // namespace

void AddAccessOptions(CLI::App& app, AccessConfig& config) {
  app.add_option("--admin-user", config.admin_users,
                 "User who may change what the sensor does, beside root, by name or number; may be "
                 "given several times")
      ->type_name("USER");
  app.add_option("--admin-group", config.admin_groups,
                 "Group whose members may do so; may be given several times")
      ->type_name("GROUP");
  app.add_option("--listen", config.listen,
                 "Serve on this address, too, by mutual TLS; needs the next three")
      ->type_name("ADDRESS:PORT")
      ->check(CLI::Validator(ProblemWithEndpoint, ""));
  app.add_option(
         "--tls-cert", config.tls.cert,
         "Certificate of this server, in PEM, with those of its issuers; read again when it "
         "changes, as the next two")
      ->type_name("FILE");
  app.add_option("--tls-key", config.tls.key, "Private key of this server, in PEM")
      ->type_name("FILE");
  app.add_option("--tls-client-ca", config.tls.client_ca,
                 "Authorities that issue the clients' certificates, in PEM")
      ->type_name("FILE");
  app.add_option("--viewer-san", config.sans.viewers,
                 "DNS or URI name of certificates whose owners may read; * is one label of it; may "
                 "be given several times")
      ->type_name("NAME")
      ->check(CLI::Validator(ProblemWithSan, ""));
  app.add_option("--admin-san", config.sans.admins,
                 "As --viewer-san, of those who may also change what the sensor does")
      ->type_name("NAME")
      ->check(CLI::Validator(ProblemWithSan, ""));
  app.add_option("--max-connections", config.max_connections,
                 "Connections at most; of one user a quarter, of one address an eighth of them")
      ->type_name("N")
      ->check(Within(1, 4096));
  app.add_option("--max-requests", config.max_requests,
                 "Calls a second of one user or certificate at most; 0: no limit")
      ->type_name("N")
      ->check(Within(0.0, 1e6));
}

absl::Status CheckAccess(const AccessConfig& config) {
  std::vector<std::string> missing;
  std::vector<std::string> given;
  for (const auto& [option, path] :
       {std::pair("--tls-cert", &config.tls.cert), std::pair("--tls-key", &config.tls.key),
        std::pair("--tls-client-ca", &config.tls.client_ca)}) {
    (path->empty() ? missing : given).emplace_back(option);
  }
  if (config.listen.empty()) {
    if (given.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(
        absl::StrJoin(given, ", "), " without --listen; give --listen ADDRESS:PORT, too"));
  }
  if (!missing.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--listen ", config.listen, " without ", absl::StrJoin(missing, ", "),
                     "; TCP is served to clients with a certificate only"));
  }
  if (config.sans.viewers.empty() && config.sans.admins.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--listen ", config.listen,
                     " without --viewer-san and --admin-san; nobody would have a role: name some"));
  }
  return absl::OkStatus();
}

absl::StatusOr<AccessOptions> ReadAccess(const AccessConfig& config) {
  AccessOptions access;
  KVMSENTRY_ASSIGN_OR_RETURN(access.admins,
                             FindUnixAdmins(config.admin_users, config.admin_groups));
  access.max_connections = config.max_connections;
  access.max_requests = config.max_requests;
  if (!config.listen.empty()) {
    KVMSENTRY_ASSIGN_OR_RETURN(Endpoint endpoint, ParseEndpoint(config.listen));
    access.tcp =
        TcpOptions{.endpoint = std::move(endpoint), .files = config.tls, .roles = config.sans};
  }
  return access;
}

}  // namespace kvmsentry
