#include "pipe.h"

#include <fcntl.h>

#include <cerrno>
#include <climits>
#include <utility>

#include "system_calls.h"

namespace splicelist {

int64_t PageBytes() {
  static const int64_t bytes = sysconf(_SC_PAGESIZE);
  return bytes;
}

Made<Pipe> Pipe::Open(std::shared_ptr<Census> census, int slots) {
  int ends[2];
  const int64_t result = Calls().pipe2(ends, O_CLOEXEC | O_NONBLOCK);
  if (result < 0) return {nullptr, static_cast<int>(result)};
  auto pipe = std::make_shared<Pipe>(std::move(census), UniqueFd(ends[0]), UniqueFd(ends[1]));
  if (pipe->Slots() != slots) pipe->Resize(slots);
  return {std::move(pipe), 0};
}

Pipe::Pipe(std::shared_ptr<Census> census, UniqueFd read_end, UniqueFd write_end)
    : Endpoint(Kind::kPipe, read_end.get(), write_end.get(), S_IFIFO, false),
      counted_(std::move(census), &Census::pipes),
      read_end_(std::move(read_end)),
      write_end_(std::move(write_end)) {
}

int64_t Pipe::Slots() const {
  const int bytes = fcntl(sink_fd(), F_GETPIPE_SZ);
  return bytes < 0 ? -errno : bytes / PageBytes();
}

int64_t Pipe::Resize(int slots) const {
  if (slots > INT_MAX / PageBytes()) return -EINVAL;
  const int bytes = slots * static_cast<int>(PageBytes());
  const int64_t result = Calls().fcntl_setpipe_sz(sink_fd(), bytes);
  return result < 0 ? result : result / PageBytes();
}

bool Pipe::HasRoom() const {
  const int64_t ready =
      RetryInterrupted([this] { return Calls().poll(sink_fd(), POLLOUT, -1, 0); });
  return ready > 0 && (ready & POLLOUT) != 0;
}

}  // namespace splicelist
