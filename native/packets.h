#ifndef SPLICELIST_NATIVE_PACKETS_H_
#define SPLICELIST_NATIVE_PACKETS_H_

#include <cstdint>

#include "resource.h"

namespace splicelist {

/// The bytes that TCP sends of a connected socket as one packet, which the device or the kernel
/// cuts into segments: as many whole ones as fit. It may grow while the connection is young. −errno
/// where it is no socket of TCP. One system call.
int64_t PacketBytes(const Endpoint& socket);

/// Whether a socket's congestion control is BBR, which spaces packets in time: each that is ready
/// too early waits for a timer of its own. One system call.
bool IsPaced(const Endpoint& socket);

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_PACKETS_H_
