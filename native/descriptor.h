#ifndef SPLICELIST_NATIVE_DESCRIPTOR_H_
#define SPLICELIST_NATIVE_DESCRIPTOR_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "census.h"
#include "resource.h"
#include "unique_fd.h"

namespace splicelist {

/// What `describe` knows of a descriptor.
struct Description {
  /// S_IFMT bits of its mode.
  uint32_t type = 0;
  /// Status flags, as of F_GETFL.
  int flags = 0;
  /// Size in bytes; meaningful for regular files.
  int64_t size = 0;
  /// Blocks of 512 bytes that it takes; 0 of what the kernel makes up when it is read.
  int64_t blocks = 0;
  /// SO_DOMAIN, or 0.
  int family = 0;
  /// SO_TYPE, or 0.
  int socket_type = 0;
};

/// A descriptor that came from outside: a socket, a file, a FIFO.
///
/// Borrowed, it is the number of its owner (a net.Socket, say): never closed here, and the owner
/// may close it and see the number reused at any time; whoever holds the handle must know. As a
/// duplicate it is ours, and closed with this object. The flags of the caller's description are
/// never changed. Making one costs two or three system calls.
class Descriptor final : public Endpoint {
 public:
  /// Relies on the owner of `fd`. −EBADF when there is no such descriptor.
  static Made<Descriptor> Borrow(std::shared_ptr<Census> census, int fd);
  /// Duplicates `fd`, close-on-exec. −EBADF when there is no such descriptor.
  static Made<Descriptor> Duplicate(std::shared_ptr<Census> census, int fd);

  /// Takes over a number that was just made.
  static Made<Descriptor> Own(std::shared_ptr<Census> census, UniqueFd fd);

  /// Use Borrow or Duplicate. `flags` are the status flags, `owned` is empty for a borrowed one.
  Descriptor(std::shared_ptr<Census> census, int fd, UniqueFd owned, mode_t type, int flags);
  /// Use StandIn. Stands for `original` under the number `owned`, uncounted.
  Descriptor(Descriptor* original, UniqueFd owned);

  /// What a disk job may use on its thread: this one when it is ours; a duplicate when it is
  /// borrowed, because its owner may close the number, and get it back for something else, between
  /// two calls of the job. −EMFILE and the like when there is none.
  Made<Descriptor> ForJob();
  /// A duplicate that stands for this one, whoever owns it: with a place of its own in an epoll
  /// set, where a number has one. −EMFILE and the like when there is none.
  Made<Descriptor> StandIn();
  std::weak_ptr<Resource> origin() override;

  /// The number.
  int fd() const { return source_fd(); }
  /// Asks the system what this is, into `description`. Returns 0 or −errno.
  int64_t Describe(Description* description) const;
  /// lseek. Returns the new position or −errno.
  int64_t Seek(int64_t offset, int whence) const;
  /// The magic number of the kind of file system it lies in, or −errno.
  int64_t FileSystem() const;
  /// What direct transfers must be aligned to, in bytes; 0 where there are none; −errno, of which
  /// −ENODATA and −ENOSYS say that it cannot be known.
  int64_t DirectAlignment() const;
  /// Sets SO_RCVLOWAT. Returns 0 or −errno.
  int64_t SetLowWater(int bytes) const;

 private:
  static Made<Descriptor> Make(std::shared_ptr<Census> census, int fd, UniqueFd owned);

  const std::optional<Counted> counted_;
  const UniqueFd owned_;
  const std::weak_ptr<Resource> original_;
  const bool is_stand_in_ = false;
};

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_DESCRIPTOR_H_
