#ifndef SPLICELIST_NATIVE_RELAYS_H_
#define SPLICELIST_NATIVE_RELAYS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>

#include "descriptor.h"
#include "move.h"
#include "pipe.h"
#include "poller.h"

namespace splicelist {

/// Relays that stand: pairs of sockets between which bytes move as they come, on the environment's
/// own thread, each time that the source is ready, without JavaScript.
///
/// For many streams at once: one that is nearly alone is better carried by a disk thread. All go
/// through one pipe, which is lent, for it is empty after each turn. When a sink does not take all,
/// its relay ends and keeps the pipe with what is left in it; until another one is lent those that
/// become ready end too. A relay costs duplicates of the descriptors, because their owners may
/// close the numbers, and a place in the epoll set; a turn costs its system calls.
class Relays {
 public:
  /// The most bytes of one relay before others have their turn.
  static constexpr uint64_t kTurnBytes = uint64_t{1} << 20;

  /// None yet. They wait in `poller`, which outlives this object.
  explicit Relays(Poller* poller) : poller_(poller) {}
  Relays(const Relays&) = delete;
  Relays& operator=(const Relays&) = delete;
  ~Relays() = default;

  /// Lends the pipe that all go through, which is empty; null takes it back. Whether one had been
  /// lent, and no relay has kept it.
  bool Lend(std::shared_ptr<Pipe> pipe);
  /// Begins to move at most `length` bytes from `source` to `sink`, both ours. 0 or −errno, −EEXIST
  /// when `token` stands for another one.
  int64_t Start(uint64_t token, std::shared_ptr<Descriptor> source,
                std::shared_ptr<Descriptor> sink, uint64_t length);
  /// Ends that of `token`. Returns the bytes that it has moved, −ENOENT where there is none.
  int64_t End(uint64_t token);
  /// Forgets all, and the pipe.
  void Clear();

  /// Whether `token` stands for one.
  bool Has(uint64_t token) const { return relays_.count(token) != 0; }
  /// Moves what has come for that of `token`, which is ready. What it came to in all, if that has
  /// ended it; where bytes are held it has kept the pipe. ECANCELED: there was none to go through.
  std::optional<Relayed> Serve(uint64_t token);

 private:
  struct Standing {
    std::shared_ptr<Descriptor> source;
    std::shared_ptr<Descriptor> sink;
    uint64_t length = 0;
    uint64_t moved = 0;
  };

  int64_t Arm(uint64_t token, const Standing& relay);
  Relayed Turn(uint64_t token, Standing* relay);

  Poller* const poller_;
  std::shared_ptr<Pipe> pipe_;
  std::unordered_map<uint64_t, Standing> relays_;  // by token
};

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_RELAYS_H_
