#include "sensor/given/kubevirt.h"

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"

#include "sensor/given/shown_text.h"
#include "sensor/inventory/naming.h"

namespace kvmsentry {

std::string PodOf(absl::string_view cgroup) {
  // What is below a user's own slice that user names.
  if (!absl::StrContains(cgroup, "kubepods") || absl::StrContains(cgroup, "/user.slice/"))
    return "";
  constexpr absl::string_view kPod = "pod";
  constexpr size_t kUuid = 36;
  for (size_t at = cgroup.find(kPod); at != absl::string_view::npos;
       at = cgroup.find(kPod, at + 1)) {
    const std::string uid =
        absl::StrReplaceAll(cgroup.substr(at + kPod.size(), kUuid), {{"_", "-"}});
    if (std::string uuid = CanonicalUuid(uid); !uuid.empty()) return uuid;
  }
  return "";
}

given::Manager KubevirtManager(absl::string_view cgroup, absl::string_view domain) {
  given::Manager manager;
  const std::string pod = PodOf(cgroup);
  if (pod.empty()) return manager;
  manager.pod = {pod, FactOrigin::kCgroup};
  // Neither a namespace nor a VM's name can hold an underscore (RFC 1123).
  const size_t split = domain.find('_');
  if (split == absl::string_view::npos || split == 0) return manager;
  manager.kind = {"kubevirt", FactOrigin::kKubevirt};
  manager.name_space = {ShownText(domain.substr(0, split)), FactOrigin::kKubevirt};
  manager.domain = {ShownText(domain), FactOrigin::kKubevirt};
  return manager;
}

}  // namespace kvmsentry
