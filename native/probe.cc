#include "probe.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "system_calls.h"
#include "unique_fd.h"

namespace splicelist {

Made<Descriptor> MemoryFile(const std::shared_ptr<Census>& census) {
  const int64_t fd = Calls().memfd_create("splicelist-probe", MFD_CLOEXEC);
  if (fd < 0) return {nullptr, static_cast<int>(fd)};
  return Descriptor::Own(census, UniqueFd(static_cast<int>(fd)));
}

int SocketPair(const std::shared_ptr<Census>& census, std::shared_ptr<Descriptor> ends[2]) {
  int fds[2];
  const int64_t result = Calls().socketpair(fds, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (result < 0) return static_cast<int>(result);
  Made<Descriptor> first = Descriptor::Own(census, UniqueFd(fds[0]));
  Made<Descriptor> second = Descriptor::Own(census, UniqueFd(fds[1]));
  ends[0] = std::move(first.resource);
  ends[1] = std::move(second.resource);
  return std::min(first.error, second.error);
}

}  // namespace splicelist
