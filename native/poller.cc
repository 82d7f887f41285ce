#include "poller.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>

#include "system_calls.h"

namespace splicelist {
namespace {

constexpr uint32_t kReadBits = EPOLLIN | EPOLLRDHUP;
constexpr uint32_t kWriteBits = EPOLLOUT;
constexpr uint32_t kBothBits = EPOLLHUP | EPOLLERR;  // always reported

/// What an event of the wake descriptor carries; no descriptor has this number.
constexpr uint64_t kWakeData = UINT64_MAX;

uint32_t BitsOf(uint32_t mask) {
  return ((mask & kReadable) != 0 ? kReadBits : 0) | ((mask & kWritable) != 0 ? kWriteBits : 0);
}

uint32_t MaskOf(uint32_t bits) {
  return ((bits & (kReadBits | kBothBits)) != 0 ? kReadable : 0) |
         ((bits & (kWriteBits | kBothBits)) != 0 ? kWritable : 0) |
         ((bits & kBothBits) != 0 ? kNoticed : 0);
}

uint64_t DataOf(int fd, uint32_t arming) {
  return static_cast<uint64_t>(fd) << 32 | arming;
}

}  // namespace

int64_t Poller::Open() {
  epoll_.Reset(epoll_create1(EPOLL_CLOEXEC));
  return epoll_ ? 0 : -errno;
}

int64_t Poller::AddWake(int wake_fd, Repeat repeat) {
  epoll_event event{};
  event.events = EPOLLIN | (repeat == Repeat::kOnce ? static_cast<uint32_t>(EPOLLET) : 0);
  event.data.u64 = kWakeData;
  return Calls().epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_fd, &event);
}

void Poller::Close() {
  epoll_.Reset();
  slots_.clear();
  armed_ = 0;
}

int64_t Poller::Arm(const Descriptor& descriptor, uint32_t mask, uint64_t token, Repeat repeat) {
  const auto fd = static_cast<size_t>(descriptor.fd());
  if (fd >= slots_.size()) slots_.resize(std::max(fd + 1, slots_.size() * 2));
  Slot& slot = slots_[fd];
  const bool known = slot.owner == &descriptor;
  Clear(&slot);
  epoll_event event{};
  event.events = BitsOf(mask) | (repeat == Repeat::kOnce ? EPOLLONESHOT : EPOLLET);
  event.data.u64 = DataOf(descriptor.fd(), ++armings_);
  const int64_t result = Register(descriptor.fd(), known, &event);
  if (result < 0) {
    if (known) slot.owner = &descriptor;  // it is in the set still, and must leave it some day
    return result;
  }
  slot = {&descriptor, token, armings_, mask, repeat};
  ++armed_;
  return 0;
}

int64_t Poller::Register(int fd, bool known, epoll_event* event) const {
  const int first = known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  const int64_t result = Calls().epoll_ctl(epoll_.get(), first, fd, event);
  if (known && result == -ENOENT) {
    return Calls().epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, event);
  }
  if (!known && result == -EEXIST) {
    return Calls().epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, event);
  }
  return result;
}

void Poller::Disarm(const Descriptor& descriptor) {
  const Slot* const slot = SlotOf(descriptor);
  // What has fired is disarmed in the kernel as well, and may stay in the set.
  if (slot != nullptr && slot->mask != 0) Forget(descriptor);
}

void Poller::Forget(const Descriptor& descriptor) {
  Slot* const slot = SlotOf(descriptor);
  if (slot == nullptr) return;
  Clear(slot);
  // Fails when the owner has closed the number meanwhile; then it is out of the set already.
  Calls().epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, descriptor.fd(), nullptr);
}

Poller::Slot* Poller::SlotOf(const Descriptor& descriptor) {
  const auto fd = static_cast<size_t>(descriptor.fd());
  if (fd >= slots_.size() || slots_[fd].owner != &descriptor) return nullptr;
  return &slots_[fd];
}

void Poller::Clear(Slot* slot) {
  if (slot->mask != 0) --armed_;
  *slot = Slot();
}

size_t Poller::Collect(ReadyEvent* events, size_t capacity) {
  epoll_event batch[kBatch];
  const int room = static_cast<int>(std::min(capacity, kBatch));
  const int found = room == 0 || !epoll_ ? 0 : epoll_wait(epoll_.get(), batch, room, 0);
  size_t count = 0;
  for (int i = 0; i < found; ++i) {
    if (Accept(batch[i], &events[count])) ++count;
  }
  return count;
}

bool Poller::Accept(const epoll_event& event, ReadyEvent* ready) {
  const uint64_t data = event.data.u64;
  const size_t fd = data >> 32;
  if (data == kWakeData || fd >= slots_.size()) return false;
  Slot& slot = slots_[fd];
  const uint32_t mask = MaskOf(event.events) & slot.mask;
  if (slot.arming != static_cast<uint32_t>(data) || mask == 0) return false;
  *ready = {slot.token, mask};
  if (slot.repeat == Repeat::kEachTime) return true;
  slot.mask = 0;
  --armed_;
  return true;
}

}  // namespace splicelist
