#ifndef SPLICELIST_NATIVE_UNIQUE_FD_H_
#define SPLICELIST_NATIVE_UNIQUE_FD_H_

#include <unistd.h>

#include <utility>

namespace splicelist {

/// The only owner of one file descriptor. Closes it when it goes.
///
/// Use it for every descriptor the addon opens itself; a descriptor that belongs to a caller stays
/// a plain `int` and is never put in here. Costs nothing over an `int` but the `close`.
class UniqueFd {
 public:
  /// Owns nothing.
  UniqueFd() = default;
  /// Takes ownership of `fd`; −1 is nothing.
  explicit UniqueFd(int fd) : fd_(fd) {}
  /// Takes over what `other` owned.
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  /// Closes what this owned, then takes over what `other` owned.
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) Reset(std::exchange(other.fd_, -1));
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { Reset(); }

  /// The number, or −1.
  int get() const { return fd_; }
  /// Whether there is one.
  explicit operator bool() const { return fd_ >= 0; }
  /// Closes what this owned and takes ownership of `fd`. `close` is never retried: Linux frees the
  /// number even when it reports EINTR.
  void Reset(int fd = -1) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_UNIQUE_FD_H_
