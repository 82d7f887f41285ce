#include "lend.h"

#include <fcntl.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "move.h"
#include "system_calls.h"

#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY 60  // Linux 4.14
#endif
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY 0x4000000  // Linux 4.14
#endif
#ifndef SO_EE_ORIGIN_ZEROCOPY
#define SO_EE_ORIGIN_ZEROCOPY 5
#endif
#ifndef SO_EE_CODE_ZEROCOPY_COPIED
#define SO_EE_CODE_ZEROCOPY_COPIED 1
#endif

namespace splicelist {
namespace {

bool IsReceivedError(const cmsghdr& control) {
  return (control.cmsg_level == SOL_IP && control.cmsg_type == IP_RECVERR) ||
         (control.cmsg_level == SOL_IPV6 && control.cmsg_type == IPV6_RECVERR);
}

/// The notice in a message of the error queue; false when that is about something else.
bool FindNotice(msghdr* message, Notice* notice) {
  for (cmsghdr* control = CMSG_FIRSTHDR(message); control != nullptr;
       control = CMSG_NXTHDR(message, control)) {
    if (!IsReceivedError(*control)) continue;
    sock_extended_err error{};
    std::memcpy(&error, CMSG_DATA(control), sizeof error);
    if (error.ee_origin != SO_EE_ORIGIN_ZEROCOPY || error.ee_errno != 0) continue;
    *notice = {error.ee_info, error.ee_data, (error.ee_code & SO_EE_CODE_ZEROCOPY_COPIED) != 0};
    return true;
  }
  return false;
}

}  // namespace

int64_t Vmsplice(const Slab& slab, size_t offset, size_t length, const Pipe& pipe) {
  const Mapping& mapping = *slab.mapping();
  if (offset > mapping.length() || length > mapping.length() - offset) return -EINVAL;
  const size_t bytes = std::min<uint64_t>(length, kMoveBytesMax);
  // Without SPLICE_F_GIFT, which would only let FUSE take the pages out of the pipe.
  return RetryInterrupted([&] {
    return Calls().vmsplice(pipe.sink_fd(), mapping.bytes() + offset, bytes, SPLICE_F_NONBLOCK);
  });
}

int64_t LendParts(const Descriptor& socket, const iovec* parts, size_t count, bool more) {
  const int flags = MSG_NOSIGNAL | MSG_DONTWAIT | MSG_ZEROCOPY | (more ? MSG_MORE : 0);
  return RetryInterrupted([&] { return Calls().sendmsg(socket.fd(), parts, count, flags); });
}

int64_t AllowLending(const Descriptor& socket) {
  return Calls().setsockopt(socket.fd(), SO_ZEROCOPY, 1);
}

int64_t TakeNotice(const Descriptor& socket, Notice* notice) {
  for (;;) {
    alignas(cmsghdr) char control[256];
    msghdr message{};
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const int64_t result = RetryInterrupted(
        [&] { return Calls().recvmsg(socket.fd(), &message, MSG_ERRQUEUE | MSG_DONTWAIT); });
    if (result == -EAGAIN) return 0;
    if (result < 0) return result;
    if (FindNotice(&message, notice)) return 1;
  }
}

}  // namespace splicelist
