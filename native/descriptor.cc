#include "descriptor.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "system_calls.h"

namespace splicelist {
namespace {

int SocketOption(int fd, int option) {
  int value = 0;
  socklen_t length = sizeof value;
  return getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 ? value : 0;
}

}  // namespace

Made<Descriptor> Descriptor::Borrow(std::shared_ptr<Census> census, int fd) {
  return Make(std::move(census), fd, UniqueFd());
}

Made<Descriptor> Descriptor::Duplicate(std::shared_ptr<Census> census, int fd) {
  const int64_t copy = Calls().fcntl_dupfd(fd);
  if (copy < 0) return {nullptr, static_cast<int>(copy)};
  const int number = static_cast<int>(copy);
  return Make(std::move(census), number, UniqueFd(number));
}

Made<Descriptor> Descriptor::Own(std::shared_ptr<Census> census, UniqueFd fd) {
  const int number = fd.get();
  return Make(std::move(census), number, std::move(fd));
}

Made<Descriptor> Descriptor::Make(std::shared_ptr<Census> census, int fd, UniqueFd owned) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return {nullptr, -errno};
  struct stat status {};
  const int64_t result = Calls().fstat(fd, &status);
  if (result < 0) return {nullptr, static_cast<int>(result)};
  return {std::make_shared<Descriptor>(std::move(census), fd, std::move(owned),
                                       status.st_mode & S_IFMT, flags),
          0};
}

Descriptor::Descriptor(std::shared_ptr<Census> census, int fd, UniqueFd owned, mode_t type,
                       int flags)
    : Endpoint(Kind::kDescriptor, fd, fd, type, (flags & O_NONBLOCK) == 0),
      counted_(std::in_place, std::move(census), &Census::descriptors),
      owned_(std::move(owned)) {
}

Descriptor::Descriptor(Descriptor* original, UniqueFd owned)
    : Endpoint(owned.get(), *original),
      owned_(std::move(owned)),
      original_(original->weak_from_this()),
      is_stand_in_(true) {
}

Made<Descriptor> Descriptor::ForJob() {
  if (owned_) return {std::static_pointer_cast<Descriptor>(shared_from_this()), 0};
  return StandIn();
}

Made<Descriptor> Descriptor::StandIn() {
  const int64_t copy = Calls().fcntl_dupfd(fd());
  if (copy < 0) return {nullptr, static_cast<int>(copy)};
  return {std::make_shared<Descriptor>(this, UniqueFd(static_cast<int>(copy))), 0};
}

std::weak_ptr<Resource> Descriptor::origin() {
  return is_stand_in_ ? original_ : weak_from_this();
}

int64_t Descriptor::Describe(Description* description) const {
  struct stat status {};
  const int64_t result = Calls().fstat(fd(), &status);
  if (result < 0) return result;
  const int flags = fcntl(fd(), F_GETFL);
  if (flags < 0) return -errno;
  description->type = status.st_mode & S_IFMT;
  description->flags = flags;
  description->size = status.st_size;
  description->blocks = status.st_blocks;
  if (S_ISSOCK(status.st_mode)) {
    description->family = SocketOption(fd(), SO_DOMAIN);
    description->socket_type = SocketOption(fd(), SO_TYPE);
  }
  return 0;
}

int64_t Descriptor::Seek(int64_t offset, int whence) const {
  return Calls().lseek(fd(), offset, whence);
}

int64_t Descriptor::FileSystem() const {
  return Calls().fstatfs(fd());
}

int64_t Descriptor::DirectAlignment() const {
  return Calls().statx(fd());
}

int64_t Descriptor::SetLowWater(int bytes) const {
  return Calls().setsockopt(fd(), SO_RCVLOWAT, bytes);
}

}  // namespace splicelist
