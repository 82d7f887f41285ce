#ifndef SPLICELIST_NATIVE_PROBE_H_
#define SPLICELIST_NATIVE_PROBE_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "census.h"
#include "descriptor.h"
#include "resource.h"

namespace splicelist {

/// What lib/capabilities/ tries the kernel with, beside the calls that move bytes for a living.
/// Each is one system call, and cheap; none is used by a transfer.

/// An anonymous, empty file in memory.
Made<Descriptor> MemoryFile(const std::shared_ptr<Census>& census);

/// Two unix stream sockets that are connected to each other, into `ends`, non-blocking. 0 or
/// −errno.
int SocketPair(const std::shared_ptr<Census>& census, std::shared_ptr<Descriptor> ends[2]);

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_PROBE_H_
