#ifndef SPLICELIST_NATIVE_POLLER_H_
#define SPLICELIST_NATIVE_POLLER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "descriptor.h"
#include "unique_fd.h"

struct epoll_event;

namespace splicelist {

/// Event mask: bytes, an end or an error can be read.
constexpr uint32_t kReadable = 1;
/// Event mask: a send can make progress, or would fail at once.
constexpr uint32_t kWritable = 2;
/// Event mask: the error queue of a socket holds something.
constexpr uint32_t kNoticed = 4;

/// A wait that came true.
struct ReadyEvent {
  /// The token the wait was armed with.
  uint64_t token = 0;
  /// Which of kReadable, kWritable and kNoticed came true.
  uint32_t mask = 0;
};

/// The epoll set of one environment: which descriptor waits for what, once each.
///
/// Belongs to its environment and its thread. Its own descriptor polls readable as soon as a wait
/// has come true, or a wake descriptor is readable; a waker watches that, never a descriptor of
/// the user.
///
/// A borrowed descriptor may be closed by its owner while it waits, and its number come back as
/// something else. So the set remembers which Descriptor armed a number last: only that one may
/// disarm it, and a newer one takes the number over. An event belongs to one arming: a late one, of
/// an arming that was replaced or taken back, is dropped.
///
/// Arming costs one system call, collecting one for up to kBatch events.
class Poller {
 public:
  /// The most events that one Collect returns.
  static constexpr size_t kBatch = 128;

  Poller() = default;
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  ~Poller() = default;

  /// How often an armed descriptor is reported.
  enum class Repeat {
    kOnce,      ///< Once, and disarmed then.
    kEachTime,  ///< Each time that something new comes, until it is disarmed.
  };

  /// Opens the set, empty. 0 or −errno.
  int64_t Open();
  /// Adds a descriptor that makes the set readable and is never reported: `kOnce` for all that came
  /// to it before a Collect, which may be looked for after that, or until it is read. 0 or −errno.
  int64_t AddWake(int wake_fd, Repeat repeat);
  /// Closes it. Every wait is forgotten.
  void Close();
  /// The set's own descriptor; −1 when it is closed.
  int fd() const { return epoll_.get(); }

  /// Arms `descriptor` for `mask` of kReadable, kWritable and kNoticed; replaces what it was armed
  /// for. Returns 0 or −errno: −EPERM for a regular file.
  int64_t Arm(const Descriptor& descriptor, uint32_t mask, uint64_t token,
              Repeat repeat = Repeat::kOnce);
  /// Disarms `descriptor`, when it is armed.
  void Disarm(const Descriptor& descriptor);
  /// Takes `descriptor` out of the set: before a duplicate is closed, or it would stay for as long
  /// as another descriptor of the same description does.
  void Forget(const Descriptor& descriptor);

  /// Takes up to `capacity` waits that came true and disarms them. Returns how many; does not wait.
  size_t Collect(ReadyEvent* events, size_t capacity);

  /// How many descriptors are armed.
  int64_t armed() const { return armed_; }

 private:
  /// What the set knows of one descriptor number.
  struct Slot {
    const Descriptor* owner = nullptr;  // who armed it last, for comparison only
    uint64_t token = 0;
    uint32_t arming = 0;  // which arming an event must belong to
    uint32_t mask = 0;    // what it is armed for; 0 is disarmed
    Repeat repeat = Repeat::kOnce;
  };

  Slot* SlotOf(const Descriptor& descriptor);
  void Clear(Slot* slot);
  int64_t Register(int fd, bool known, epoll_event* event) const;
  bool Accept(const epoll_event& event, ReadyEvent* ready);

  UniqueFd epoll_;
  std::vector<Slot> slots_;  // by descriptor number
  uint32_t armings_ = 0;
  int64_t armed_ = 0;
};

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_POLLER_H_
