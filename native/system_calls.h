#ifndef SPLICELIST_NATIVE_SYSTEM_CALLS_H_
#define SPLICELIST_NATIVE_SYSTEM_CALLS_H_

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace splicelist {

/// The one table of system calls.
///
/// Whatever the addon asks of the kernel goes through here, `close` and the bookkeeping of its own
/// wakers aside, so that a test can put a table of its own in place (script.h). Every entry returns
/// the system's result, or −errno; none retries, and none touches `errno` for its caller.
///
/// The names that a script may use are the names of the fields, but for the two faces of `fcntl`:
/// `fcntl` is F_SETPIPE_SZ, `fcntl_dupfd` is F_DUPFD_CLOEXEC.
///
/// An ordinary call costs one load and one indirect call.
struct SystemCalls {
  /// splice(2).
  int64_t (*splice)(int in, off64_t* in_offset, int out, off64_t* out_offset, size_t length,
                    unsigned flags);
  /// tee(2).
  int64_t (*tee)(int in, int out, size_t length, unsigned flags);
  /// sendfile(2).
  int64_t (*sendfile)(int out, int in, off64_t* offset, size_t length);
  /// copy_file_range(2).
  int64_t (*copy_file_range)(int in, off64_t* in_offset, int out, off64_t* out_offset,
                             size_t length, unsigned flags);
  /// read(2).
  int64_t (*read)(int fd, void* target, size_t length);
  /// pread(2).
  int64_t (*pread)(int fd, void* target, size_t length, off64_t offset);
  /// write(2).
  int64_t (*write)(int fd, const void* bytes, size_t length);
  /// pwrite(2).
  int64_t (*pwrite)(int fd, const void* bytes, size_t length, off64_t offset);
  /// recv(2).
  int64_t (*recv)(int fd, void* target, size_t length, int flags);
  /// sendmsg(2), with nothing but parts; send(2) of one.
  int64_t (*sendmsg)(int fd, const iovec* parts, size_t count, int flags);
  /// writev(2).
  int64_t (*writev)(int fd, const iovec* parts, size_t count);
  /// pipe2(2).
  int64_t (*pipe2)(int ends[2], int flags);
  /// fcntl(fd, F_SETPIPE_SZ, bytes).
  int64_t (*fcntl_setpipe_sz)(int fd, int bytes);
  /// fcntl(fd, F_DUPFD_CLOEXEC, 0).
  int64_t (*fcntl_dupfd)(int fd);
  /// preadv2(2) of one part with RWF_NOWAIT: only what is in the page cache.
  int64_t (*preadv2)(int fd, const iovec* part, off64_t offset);
  /// socketpair(2) of unix streams.
  int64_t (*socketpair)(int ends[2], int flags);
  /// memfd_create(2).
  int64_t (*memfd_create)(const char* name, unsigned flags);
  /// mmap(2) of a readable and writable mapping; the address comes back in `address`.
  int64_t (*mmap)(void** address, size_t length, int flags, int fd);
  /// munmap(2).
  int64_t (*munmap)(void* address, size_t length);
  /// mremap(2) of `length` bytes at `from` to exactly `to`, in place of what is mapped there.
  int64_t (*mremap)(void* from, size_t length, void* to);
  /// vmsplice(2) of one part.
  int64_t (*vmsplice)(int pipe, const void* bytes, size_t length, unsigned flags);
  /// recvmsg(2).
  int64_t (*recvmsg)(int fd, msghdr* message, int flags);
  /// epoll_ctl(2).
  int64_t (*epoll_ctl)(int epoll, int operation, int fd, epoll_event* event);
  /// lseek(2).
  int64_t (*lseek)(int fd, off64_t offset, int whence);
  /// fstat(2).
  int64_t (*fstat)(int fd, struct stat* status);
  /// fstatfs(2); returns the magic number of the file system's kind.
  int64_t (*fstatfs)(int fd);
  /// setsockopt(2) of an option at SOL_SOCKET that is an int.
  int64_t (*setsockopt)(int fd, int option, int value);
  /// getsockopt(2) of an option of TCP's, of at most so many bytes; returns how many it has.
  int64_t (*getsockopt)(int fd, int option, void* value, size_t length);
  /// ioctl(fd, FIONREAD).
  int64_t (*ioctl)(int fd);
  /// ioctl(fd, SIOCATMARK), as sockatmark(3).
  int64_t (*sockatmark)(int fd);
  /// poll(2) of one descriptor, for so long at the most, or until `wake` can be read, unless that
  /// is −1; returns the descriptor's `revents`.
  int64_t (*poll)(int fd, int16_t events, int wake, int milliseconds);
  /// fsync(2).
  int64_t (*fsync)(int fd);
  /// fdatasync(2).
  int64_t (*fdatasync)(int fd);
  /// sync_file_range(2).
  int64_t (*sync_file_range)(int fd, off64_t offset, off64_t length, unsigned flags);
  /// posix_fadvise(2).
  int64_t (*posix_fadvise)(int fd, off64_t offset, off64_t length, int advice);
  /// statx(2) for STATX_DIOALIGN: what offsets and lengths of direct transfers must be a multiple
  /// of, 0 where the file takes none, −ENODATA where the kernel or the file system does not tell.
  int64_t (*statx)(int fd);
};

/// The table that calls the kernel and does nothing else.
extern const SystemCalls kDirectCalls;

/// The table in force for the whole process: kDirectCalls, or the scripted one of a test.
extern std::atomic<const SystemCalls*> current_calls;

/// The table to call through. Ask anew for each call.
inline const SystemCalls& Calls() {
  return *current_calls.load(std::memory_order_acquire);
}

/// Makes `call` again for as long as a signal interrupts it.
template <typename Call>
int64_t RetryInterrupted(const Call& call) {
  for (;;) {
    const int64_t result = call();
    if (result != -EINTR) return result;
  }
}

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_SYSTEM_CALLS_H_
