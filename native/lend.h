#ifndef SPLICELIST_NATIVE_LEND_H_
#define SPLICELIST_NATIVE_LEND_H_

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>

#include "descriptor.h"
#include "pipe.h"
#include "slab.h"

namespace splicelist {

/// Puts references to the pages of `slab` into `pipe`, by vmsplice: no byte is copied, and what is
/// written to the pages afterwards shows. `length` bytes from `offset` on, or fewer where the slots
/// run out. Returns how many, or −errno: −EINVAL past the slab's end, −EAGAIN for a full pipe.
int64_t Vmsplice(const Slab& slab, size_t offset, size_t length, const Pipe& pipe);

/// As WriteParts, for a socket that AllowLending was called on: the kernel sends from the pages
/// themselves (MSG_ZEROCOPY), and says in the socket's error queue when it needs them no more. Each
/// call that took bytes is one send there. −ENOBUFS when too much is lent already.
int64_t LendParts(const Descriptor& socket, const iovec* parts, size_t count, bool more);

/// Sets SO_ZEROCOPY. Returns 0 or −errno.
int64_t AllowLending(const Descriptor& socket);

/// The kernel's word that it needs pages no more: of the sends `first` to `last`, which wrap at
/// 2^32.
struct Notice {
  /// The first send.
  uint32_t first = 0;
  /// The last one.
  uint32_t last = 0;
  /// Whether it has copied the bytes after all.
  bool copied = false;
};

/// Takes one notice from the error queue of `socket`; skips what is none. 1, 0 when there is none,
/// or −errno.
int64_t TakeNotice(const Descriptor& socket, Notice* notice);

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_LEND_H_
