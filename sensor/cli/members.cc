#include <unistd.h>

#include "sensor/base/escape.h"
#include "sensor/cli/client.h"
#include "sensor/cli/commands.h"
#include "sensor/cli/format.h"
#include "sensor/cli/output.h"
#include "sensor/rpc/json.h"

namespace kvmsentry {
namespace {

absl::StatusOr<v1::ListMembersResponse> ListAll(Client& client, v1::ListMembersRequest request) {
  v1::ListMembersResponse all;
  do {
    KVMSENTRY_ASSIGN_OR_RETURN(const v1::ListMembersResponse page, client.ListMembers(request));
    *all.mutable_vm() = page.vm();
    all.mutable_members()->MergeFrom(page.members());
    *all.mutable_left_out() = page.left_out();
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return all;
}

}  // namespace

int Run(const CommonOptions& common, const MembersCommand& command) {
  const auto client = Client::Connect(common.target);
  if (!client.ok()) return Fail(client.status());
  const auto response = ListAll(**client, command.request);
  if (!response.ok()) return Fail(response.status());
  Output output(STDOUT_FILENO);
  if (command.json) {
    for (const v1::SeenMember& member : response->members()) output.Write(JsonLine(member));
  } else {
    output.Write(FormatMembers(*response, LookFor(common, command.wide)));
  }
  if (response->members().empty()) {
    const std::string none =
        absl::StrCat("VM ", response->vm().name(), ": no members were seen",
                     command.request.feature().empty() ? "" : " of ", command.request.feature());
    if (command.json) {
      Say(none);
    } else {
      output.Write(EscapeAgain(none) + "\n");
    }
  }
  return output.Finish();
}

}  // namespace kvmsentry
