#ifndef SPLICELIST_NATIVE_MOVE_H_
#define SPLICELIST_NATIVE_MOVE_H_

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "pipe.h"
#include "resource.h"

namespace splicelist {

/// The most bytes that Linux moves in one call; longer requests are cut to this.
constexpr uint64_t kMoveBytesMax = 0x7ffff000;

/// An offset that means the descriptor's own position.
constexpr int64_t kOwnPosition = -1;

/// Moves bytes by reference in one call: splice where a side is a pipe, sendfile from a file to a
/// socket, copy_file_range between files, −EINVAL between anything else.
///
/// Never waits for a peer, provided that a socket is non-blocking; may wait for a disk when a side
/// is a file. `more` says that further bytes follow at once. Interrupted calls are made again.
/// Returns the bytes moved, 0 at the end of the source, or −errno. One system call.
int64_t Move(const Endpoint& source, int64_t source_offset, const Endpoint& sink,
             int64_t sink_offset, uint64_t length, bool more);

/// Moves up to `length` bytes of `source` into `pipe`: as Move, but a socket is asked again while
/// it has more, until the pipe is full or holds half a megabyte. One call that may not wait takes
/// no more of TCP than had come when it began, and a sink that is given little pieces costs more.
/// Returns as Move does; an error or an end behind the bytes is left for the next call.
int64_t Fill(const Endpoint& source, int64_t source_offset, const Pipe& pipe, uint64_t length);

/// What a relay did.
struct Relayed {
  /// Bytes that the sink took.
  uint64_t moved = 0;
  /// Bytes that lie in the pipe, because the sink took no more.
  uint64_t held = 0;
  /// What it ended with: a positive errno, the sink's where bytes are held and else the source's;
  /// or 0 for all that was asked, or the end of the source.
  int error = 0;
};

/// Moves the `held` bytes that lie in `pipe` into `sink`, at most `burst` by each call, until it
/// would block or fails. As for Move, never waits for a peer.
Relayed Drain(const Pipe& pipe, uint64_t held, const Endpoint& sink, int64_t sink_offset,
              uint64_t burst);

/// Moves up to `length` bytes from one descriptor to another that no single call serves, through
/// `pipe`, which is empty: one splice in, and out what it got, again and again until a side would
/// block, ends or fails. As for Move, never waits for a peer.
Relayed Relay(const Endpoint& source, const Pipe& pipe, const Endpoint& sink, uint64_t length);

/// One of the sinks that share a pipe's bytes.
struct Sharer {
  /// Where its bytes lie until it takes them; empty at first, and nobody else's.
  const Pipe* through;
  /// Who takes them.
  const Endpoint* sink;
  /// The most bytes that it is given before the next one has its turn.
  uint64_t burst;
  /// What it came to. What it did not take lies in `through`.
  Relayed done;
};

/// Gives each sharer the first `length` bytes of `from`, which keeps them: a tee for each, of fewer
/// bytes where its pipe has no slots for all, and out of that what its sink takes, a burst each in
/// turn, until each has all of it, would block or failed. As for Move, never waits for a peer.
void Share(const Pipe& from, std::vector<Sharer>* sharers, uint64_t length);

/// Reads at `offset` what is in the page cache, and no more. Returns the bytes, −EAGAIN where none
/// is there, or −errno.
int64_t ReadCached(const Endpoint& file, int64_t offset, void* target, size_t length);

/// Whether `length` bytes of `file` at `offset` are in the page cache, so that moving them waits
/// for no disk. 250 ns a page.
bool IsCached(const Endpoint& file, int64_t offset, uint64_t length);

/// Waits until `side` polls for `events`, or has failed or ended, or `wake_fd` can be read (unless
/// it is −1); no longer than `milliseconds`. Files always do.
void AwaitReady(const Endpoint& side, int16_t events, int wake_fd, int milliseconds);

/// Shares up to `length` bytes at the front of `from` with `to`. Returns their number, 0 when
/// `from` is empty and has ended, or −errno. 25 ns a page.
int64_t Tee(const Pipe& from, const Pipe& to, uint64_t length);

/// Drops up to `length` bytes from the front of `pipe` into `null_fd`, which is /dev/null. Returns
/// how many; −errno only when that is none. 55 ns a page.
int64_t Discard(const Pipe& pipe, int null_fd, uint64_t length);

/// Copies up to `length` bytes out of `source` without waiting for a peer. Returns their number, 0
/// at the end, or −errno.
int64_t Read(const Endpoint& source, void* target, size_t length);

/// Copies `count` parts (at most IOV_MAX) into `sink` without waiting for a peer, in one call.
/// Returns the bytes taken, or −errno. Raises no SIGPIPE on sockets.
int64_t WriteParts(const Endpoint& sink, const iovec* parts, size_t count, bool more);

/// Bytes that can be read from `from` now (FIONREAD), or −errno.
int64_t Pending(const Endpoint& from);

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_MOVE_H_
