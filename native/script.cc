#include "script.h"

#include <algorithm>
#include <array>
#include <climits>
#include <mutex>
#include <utility>

#include "system_calls.h"

namespace splicelist {
namespace {

enum class Call : size_t {
  kSplice,
  kTee,
  kSendfile,
  kCopyFileRange,
  kRead,
  kPread,
  kWrite,
  kPwrite,
  kRecv,
  kSendmsg,
  kWritev,
  kPipe2,
  kFcntl,
  kFcntlDupfd,
  kPreadv2,
  kSocketpair,
  kMemfdCreate,
  kMmap,
  kMunmap,
  kMremap,
  kVmsplice,
  kRecvmsg,
  kEpollCtl,
  kLseek,
  kFstat,
  kFstatfs,
  kSetsockopt,
  kGetsockopt,
  kIoctl,
  kSockatmark,
  kPoll,
  kFsync,
  kFdatasync,
  kSyncFileRange,
  kFadvise,
  kStatx,
};

constexpr std::array<const char*, 36> kCallNames = {
    "splice", "tee",         "sendfile",   "copy_file_range", "read",          "pread",
    "write",  "pwrite",      "recv",       "sendmsg",         "writev",        "pipe2",
    "fcntl",  "fcntl_dupfd", "preadv2",    "socketpair",      "memfd_create",  "mmap",
    "munmap", "mremap",      "vmsplice",   "recvmsg",         "epoll_ctl",     "lseek",
    "fstat",  "fstatfs",     "setsockopt", "getsockopt",      "ioctl",         "sockatmark",
    "poll",   "fsync",       "fdatasync",  "sync_file_range", "posix_fadvise", "statx",
};

/// What a script makes of one call.
struct Verdict {
  int error = 0;
  uint64_t max_bytes = UINT64_MAX;

  size_t Cut(size_t length) const { return std::min<uint64_t>(length, max_bytes); }
};

class Script {
 public:
  void Begin(std::vector<ScriptRule> rules) {
    const std::lock_guard<std::mutex> lock(mutex_);
    rules_ = std::move(rules);
    times_.fill(0);
  }
  void End() {
    const std::lock_guard<std::mutex> lock(mutex_);
    rules_.clear();
  }

  std::vector<ScriptCount> Counts() {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::vector<ScriptCount> counts;
    for (size_t i = 0; i < times_.size(); ++i) {
      if (times_.at(i) > 0) counts.push_back({kCallNames.at(i), times_.at(i)});
    }
    return counts;
  }

  Verdict Judge(Call call) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++times_.at(static_cast<size_t>(call));
    for (ScriptRule& rule : rules_) {
      if (rule.call != static_cast<size_t>(call) || rule.times == 0) continue;
      if (rule.skip > 0) {
        --rule.skip;
        return {};
      }
      --rule.times;
      return {rule.error, rule.max_bytes};
    }
    return {};
  }

 private:
  std::mutex mutex_;
  std::vector<ScriptRule> rules_;
  std::array<uint64_t, kCallNames.size()> times_{};
};

/// Never destroyed: a disk thread may still be in a scripted call when the process exits.
Script& TheScript() {
  static auto* const script = new Script;
  return *script;
}

/// `direct(arguments…)`, unless the script fails it.
template <typename Function, typename... Arguments>
int64_t Judged(Call call, Function direct, Arguments... arguments) {
  const Verdict verdict = TheScript().Judge(call);
  return verdict.error != 0 ? -verdict.error : direct(arguments...);
}

int64_t Splice(int in, off64_t* in_offset, int out, off64_t* out_offset, size_t length,
               unsigned flags) {
  const Verdict verdict = TheScript().Judge(Call::kSplice);
  if (verdict.error != 0) return -verdict.error;
  return kDirectCalls.splice(in, in_offset, out, out_offset, verdict.Cut(length), flags);
}

int64_t Tee(int in, int out, size_t length, unsigned flags) {
  const Verdict verdict = TheScript().Judge(Call::kTee);
  if (verdict.error != 0) return -verdict.error;
  return kDirectCalls.tee(in, out, verdict.Cut(length), flags);
}

int64_t Sendfile(int out, int in, off64_t* offset, size_t length) {
  const Verdict verdict = TheScript().Judge(Call::kSendfile);
  if (verdict.error != 0) return -verdict.error;
  return kDirectCalls.sendfile(out, in, offset, verdict.Cut(length));
}

int64_t CopyFileRange(int in, off64_t* in_offset, int out, off64_t* out_offset, size_t length,
                      unsigned flags) {
  const Verdict verdict = TheScript().Judge(Call::kCopyFileRange);
  if (verdict.error != 0) return -verdict.error;
  return kDirectCalls.copy_file_range(in, in_offset, out, out_offset, verdict.Cut(length), flags);
}

int64_t Read(int fd, void* target, size_t length) {
  const Verdict verdict = TheScript().Judge(Call::kRead);
  if (verdict.error != 0) return -verdict.error;
  return kDirectCalls.read(fd, target, verdict.Cut(length));
}

int64_t Pread(int fd, void* target, size_t length, off64_t offset) {
  const Verdict verdict = TheScript().Judge(Call::kPread);
  if (verdict.error != 0) return -verdict.error;
  return kDirectCalls.pread(fd, target, verdict.Cut(length), offset);
}

int64_t Write(int fd, const void* bytes, size_t length) {
  const Verdict verdict = TheScript().Judge(Call::kWrite);
  if (verdict.error != 0) return -verdict.error;
  return kDirectCalls.write(fd, bytes, verdict.Cut(length));
}

int64_t Pwrite(int fd, const void* bytes, size_t length, off64_t offset) {
  const Verdict verdict = TheScript().Judge(Call::kPwrite);
  if (verdict.error != 0) return -verdict.error;
  return kDirectCalls.pwrite(fd, bytes, verdict.Cut(length), offset);
}

int64_t Recv(int fd, void* target, size_t length, int flags) {
  const Verdict verdict = TheScript().Judge(Call::kRecv);
  if (verdict.error != 0) return -verdict.error;
  return kDirectCalls.recv(fd, target, verdict.Cut(length), flags);
}

/// The front of `parts` that holds at most `bytes`.
std::vector<iovec> CutParts(const iovec* parts, size_t count, uint64_t bytes) {
  std::vector<iovec> front;
  for (size_t i = 0; i < count && bytes > 0; ++i) {
    front.push_back({parts[i].iov_base, std::min<uint64_t>(parts[i].iov_len, bytes)});
    bytes -= front.back().iov_len;
  }
  return front;
}

int64_t Sendmsg(int fd, const iovec* parts, size_t count, int flags) {
  const Verdict verdict = TheScript().Judge(Call::kSendmsg);
  if (verdict.error != 0) return -verdict.error;
  const std::vector<iovec> front = CutParts(parts, count, verdict.max_bytes);
  return kDirectCalls.sendmsg(fd, front.data(), front.size(), flags);
}

int64_t Writev(int fd, const iovec* parts, size_t count) {
  const Verdict verdict = TheScript().Judge(Call::kWritev);
  if (verdict.error != 0) return -verdict.error;
  const std::vector<iovec> front = CutParts(parts, count, verdict.max_bytes);
  return kDirectCalls.writev(fd, front.data(), front.size());
}

/// Cut down, the pipe has only so many bytes' pages: what a user past the soft limit is given.
int64_t Pipe2(int ends[2], int flags) {
  const Verdict verdict = TheScript().Judge(Call::kPipe2);
  if (verdict.error != 0) return -verdict.error;
  const int64_t result = kDirectCalls.pipe2(ends, flags);
  if (result == 0 && verdict.max_bytes <= INT_MAX) {
    kDirectCalls.fcntl_setpipe_sz(ends[1], static_cast<int>(verdict.max_bytes));
  }
  return result;
}

int64_t SetPipeSize(int fd, int bytes) {
  const Verdict verdict = TheScript().Judge(Call::kFcntl);
  if (verdict.error != 0) return -verdict.error;
  return kDirectCalls.fcntl_setpipe_sz(fd,
                                       static_cast<int>(verdict.Cut(static_cast<size_t>(bytes))));
}

int64_t Duplicate(int fd) {
  return Judged(Call::kFcntlDupfd, kDirectCalls.fcntl_dupfd, fd);
}

int64_t Preadv2(int fd, const iovec* part, off64_t offset) {
  return Judged(Call::kPreadv2, kDirectCalls.preadv2, fd, part, offset);
}

int64_t SocketPair(int ends[2], int flags) {
  return Judged(Call::kSocketpair, kDirectCalls.socketpair, ends, flags);
}

int64_t MemfdCreate(const char* name, unsigned flags) {
  return Judged(Call::kMemfdCreate, kDirectCalls.memfd_create, name, flags);
}

int64_t Mmap(void** address, size_t length, int flags, int fd) {
  return Judged(Call::kMmap, kDirectCalls.mmap, address, length, flags, fd);
}

int64_t Munmap(void* address, size_t length) {
  return Judged(Call::kMunmap, kDirectCalls.munmap, address, length);
}

int64_t Mremap(void* from, size_t length, void* to) {
  return Judged(Call::kMremap, kDirectCalls.mremap, from, length, to);
}

int64_t Vmsplice(int pipe, const void* bytes, size_t length, unsigned flags) {
  const Verdict verdict = TheScript().Judge(Call::kVmsplice);
  if (verdict.error != 0) return -verdict.error;
  return kDirectCalls.vmsplice(pipe, bytes, verdict.Cut(length), flags);
}

int64_t Recvmsg(int fd, msghdr* message, int flags) {
  return Judged(Call::kRecvmsg, kDirectCalls.recvmsg, fd, message, flags);
}

int64_t EpollCtl(int epoll, int operation, int fd, epoll_event* event) {
  return Judged(Call::kEpollCtl, kDirectCalls.epoll_ctl, epoll, operation, fd, event);
}

int64_t Lseek(int fd, off64_t offset, int whence) {
  return Judged(Call::kLseek, kDirectCalls.lseek, fd, offset, whence);
}

int64_t Fstat(int fd, struct stat* status) {
  return Judged(Call::kFstat, kDirectCalls.fstat, fd, status);
}

int64_t Fstatfs(int fd) {
  return Judged(Call::kFstatfs, kDirectCalls.fstatfs, fd);
}

int64_t Setsockopt(int fd, int option, int value) {
  return Judged(Call::kSetsockopt, kDirectCalls.setsockopt, fd, option, value);
}

int64_t Getsockopt(int fd, int option, void* value, size_t length) {
  return Judged(Call::kGetsockopt, kDirectCalls.getsockopt, fd, option, value, length);
}

int64_t Ioctl(int fd) {
  return Judged(Call::kIoctl, kDirectCalls.ioctl, fd);
}

int64_t Sockatmark(int fd) {
  return Judged(Call::kSockatmark, kDirectCalls.sockatmark, fd);
}

int64_t Poll(int fd, int16_t events, int wake, int milliseconds) {
  return Judged(Call::kPoll, kDirectCalls.poll, fd, events, wake, milliseconds);
}

int64_t Fsync(int fd) {
  return Judged(Call::kFsync, kDirectCalls.fsync, fd);
}

int64_t Fdatasync(int fd) {
  return Judged(Call::kFdatasync, kDirectCalls.fdatasync, fd);
}

int64_t SyncFileRange(int fd, off64_t offset, off64_t length, unsigned flags) {
  return Judged(Call::kSyncFileRange, kDirectCalls.sync_file_range, fd, offset, length, flags);
}

int64_t Fadvise(int fd, off64_t offset, off64_t length, int advice) {
  return Judged(Call::kFadvise, kDirectCalls.posix_fadvise, fd, offset, length, advice);
}

int64_t Statx(int fd) {
  const Verdict verdict = TheScript().Judge(Call::kStatx);
  if (verdict.error != 0) return -verdict.error;
  const int64_t bytes = kDirectCalls.statx(fd);
  return bytes < 0 ? bytes : static_cast<int64_t>(verdict.Cut(static_cast<size_t>(bytes)));
}

const SystemCalls kScriptedCalls = {
    Splice,      Tee,       Sendfile,   CopyFileRange, Read,        Pread,
    Write,       Pwrite,    Recv,       Sendmsg,       Writev,      Pipe2,
    SetPipeSize, Duplicate, Preadv2,    SocketPair,    MemfdCreate, Mmap,
    Munmap,      Mremap,    Vmsplice,   Recvmsg,       EpollCtl,    Lseek,
    Fstat,       Fstatfs,   Setsockopt, Getsockopt,    Ioctl,       Sockatmark,
    Poll,        Fsync,     Fdatasync,  SyncFileRange, Fadvise,     Statx,
};

}  // namespace

int ScriptedCall(const std::string& name) {
  const auto* const found = std::find(kCallNames.begin(), kCallNames.end(), name);
  return found == kCallNames.end() ? -1 : static_cast<int>(found - kCallNames.begin());
}

void StartScript(std::vector<ScriptRule> rules) {
  TheScript().Begin(std::move(rules));
  current_calls.store(&kScriptedCalls, std::memory_order_release);
}

void EndScript() {
  current_calls.store(&kDirectCalls, std::memory_order_release);
  TheScript().End();
}

std::vector<ScriptCount> ScriptCounts() {
  return TheScript().Counts();
}

}  // namespace splicelist
