#ifndef SPLICELIST_NATIVE_PIPE_H_
#define SPLICELIST_NATIVE_PIPE_H_

#include <cstdint>
#include <memory>

#include "census.h"
#include "resource.h"
#include "unique_fd.h"

namespace splicelist {

/// Both ends of one kernel pipe of ours, non-blocking and close-on-exec.
///
/// A pipe counts slots, not bytes, and the system may give fewer than were asked for: Slots() says
/// how many it has. Closed with this object, and what is in it is dropped then. Making one costs
/// about 4 µs with its close, every other call one system call.
class Pipe final : public Endpoint {
 public:
  /// Opens a pipe and asks for `slots` of them; that this is refused is no error.
  static Made<Pipe> Open(std::shared_ptr<Census> census, int slots);

  /// Use Open. Takes both ends over.
  Pipe(std::shared_ptr<Census> census, UniqueFd read_end, UniqueFd write_end);

  /// How many slots the pipe has, or −errno.
  int64_t Slots() const;
  /// Makes it `slots` large. Returns how many it has now, or −errno: EBUSY when the content does
  /// not fit, EPERM past the limits of the system.
  int64_t Resize(int slots) const;
  /// Whether a slot is free.
  bool HasRoom() const;

 private:
  const Counted counted_;
  const UniqueFd read_end_;
  const UniqueFd write_end_;
};

/// Bytes in one page of this system.
int64_t PageBytes();

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_PIPE_H_
