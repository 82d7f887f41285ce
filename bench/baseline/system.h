// What the programs beside bench/transfer/ need of the system: descriptors that are closed, calls
// that are checked, and places that are opened the same way in each of them.
#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

namespace baseline {

[[noreturn]] inline void Fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// The result of a call that may not fail.
template <class Result>
Result Checked(Result result, const char* call) {
  if (result < 0) Fail(call);
  return result;
}

// The count of a call that may be interrupted, or find nothing to do: that is -1.
template <class Call>
ssize_t Attempt(const char* name, Call&& call) {
  for (;;) {
    const ssize_t count = call();
    if (count >= 0) return count;
    if (errno == EAGAIN) return -1;
    if (errno != EINTR) Fail(name);
  }
}

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

struct Pipe {
  Descriptor read;
  Descriptor write;
};

// A pipe of that many bytes where the system grants them, else of what it has.
inline Pipe OpenPipe(int bytes) {
  int ends[2];
  Checked(pipe2(ends, O_CLOEXEC), "pipe2");
  Pipe pipe{Descriptor(ends[0]), Descriptor(ends[1])};
  fcntl(pipe.write.get(), F_SETPIPE_SZ, bytes);
  return pipe;
}

inline Descriptor Open(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) Fail(path);
  return Descriptor(fd);
}

inline void MakeNonBlocking(int fd) {
  Checked(fcntl(fd, F_SETFL, Checked(fcntl(fd, F_GETFL), "F_GETFL") | O_NONBLOCK), "F_SETFL");
}

// Small messages go at once, in every contestant alike.
inline void SendAtOnce(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

inline void RaiseDescriptorLimit() {
  rlimit limit{};
  Checked(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Where sockets of a job are: a port of the loopback interface, or a path.
struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  static Address Port(uint16_t port) {
    Address address;
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    in.sin_port = htons(port);
    std::memcpy(&address.storage, &in, sizeof(in));
    address.length = sizeof(in);
    return address;
  }
  static Address Path(const std::string& path) {
    Address address;
    sockaddr_un un{};
    un.sun_family = AF_UNIX;
    if (path.size() >= sizeof(un.sun_path)) {
      errno = ENAMETOOLONG;
      Fail(path);
    }
    std::memcpy(un.sun_path, path.c_str(), path.size() + 1);
    std::memcpy(&address.storage, &un, sizeof(un));
    address.length = sizeof(un);
    return address;
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

inline Descriptor OpenSocket(const Address& address) {
  return Descriptor(
      Checked(socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
}

}  // namespace baseline
