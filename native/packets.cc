#include "packets.h"

#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "system_calls.h"

namespace splicelist {
namespace {

/// What a packet has room for: Linux's GSO_LEGACY_MAX_SIZE, less what TCP leaves for headers.
constexpr int64_t kPacketRoom = 65536 - 321;
/// Room for the name of a congestion control: Linux's TCP_CA_NAME_MAX.
constexpr size_t kNameMax = 16;

}  // namespace

int64_t PacketBytes(const Endpoint& socket) {
  int segment = 0;
  const int64_t got = Calls().getsockopt(socket.sink_fd(), TCP_MAXSEG, &segment, sizeof segment);
  if (got < 0) return got;
  if (segment <= 0) return -ENOTCONN;
  return segment * std::max<int64_t>(1, kPacketRoom / segment);
}

bool IsPaced(const Endpoint& socket) {
  char name[kNameMax] = {};
  const int64_t got = Calls().getsockopt(socket.sink_fd(), TCP_CONGESTION, name, sizeof name);
  return got > 0 && std::string_view(name, kNameMax).rfind("bbr", 0) == 0;
}

}  // namespace splicelist
