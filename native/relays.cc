#include "relays.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace splicelist {

bool Relays::Lend(std::shared_ptr<Pipe> pipe) {
  return std::exchange(pipe_, std::move(pipe)) != nullptr;
}

int64_t Relays::Start(uint64_t token, std::shared_ptr<Descriptor> source,
                      std::shared_ptr<Descriptor> sink, uint64_t length) {
  if (Has(token)) return -EEXIST;
  Standing relay{std::move(source), std::move(sink), length, 0};
  const int64_t result = Arm(token, relay);
  if (result == 0) relays_[token] = std::move(relay);
  return result;
}

int64_t Relays::End(uint64_t token) {
  const auto found = relays_.find(token);
  if (found == relays_.end()) return -ENOENT;
  const auto moved = static_cast<int64_t>(found->second.moved);
  poller_->Forget(*found->second.source);
  relays_.erase(found);
  return moved;
}

void Relays::Clear() {
  while (!relays_.empty()) End(relays_.begin()->first);
  pipe_.reset();
}

std::optional<Relayed> Relays::Serve(uint64_t token) {
  Standing& relay = relays_.at(token);
  const Relayed now = Turn(token, &relay);
  relay.moved += now.moved;
  if (now.error == EAGAIN && now.held == 0) return std::nullopt;
  const Relayed all{relay.moved, now.held, now.error};
  End(token);
  return all;
}

/// One turn. EAGAIN without bytes that are held: it goes on when the source is ready again.
Relayed Relays::Turn(uint64_t token, Standing* relay) {
  if (!pipe_) return {0, 0, ECANCELED};
  const uint64_t turn = std::min(kTurnBytes, relay->length - relay->moved);
  Relayed now = Relay(*relay->source, *pipe_, *relay->sink, turn);
  if (now.held > 0) pipe_.reset();
  // More may be there, of which nobody tells twice unless he is asked to.
  const bool is_turn_over = now.moved == turn && relay->moved + turn < relay->length;
  if (is_turn_over && Arm(token, *relay) == 0) now.error = EAGAIN;
  return now;
}

int64_t Relays::Arm(uint64_t token, const Standing& relay) {
  return poller_->Arm(*relay.source, kReadable, token, Poller::Repeat::kEachTime);
}

}  // namespace splicelist
