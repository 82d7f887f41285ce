/// The calls of lib/native.ts on moves: calls that move bytes at once, and never wait.

#include <algorithm>
#include <array>
#include <climits>
#include <cstdint>
#include <vector>

#include "descriptor.h"
#include "door.h"
#include "lend.h"
#include "move.h"
#include "pipe.h"

namespace splicelist {
namespace {

using Napi::CallbackInfo;
using Napi::Value;

/// Numbers that tell of one relay: moved, held, errno.
constexpr size_t kRelayedNumbers = 3;

Value MoveBytes(const CallbackInfo& info) {
  Arguments in(info);
  const Endpoint* const source = in.EndpointAt(0, "source");
  const int64_t source_offset = in.Offset(1, "sourceOffset");
  const Endpoint* const sink = in.EndpointAt(2, "sink");
  const int64_t sink_offset = in.Offset(3, "sinkOffset");
  const uint64_t length = in.Length(4, "lengthBytes");
  const bool more = in.Flag(5, "more");
  if (!in.Complete()) return in.Refusal();
  return Number(in, Move(*source, source_offset, *sink, sink_offset, length, more));
}

Value TeeBytes(const CallbackInfo& info) {
  Arguments in(info);
  const Pipe* const from = in.PipeAt(0, "from");
  const Pipe* const to = in.PipeAt(1, "to");
  const uint64_t length = in.Length(2, "lengthBytes");
  if (!in.Complete()) return in.Refusal();
  return Number(in, Tee(*from, *to, length));
}

Value DiscardBytes(const CallbackInfo& info) {
  Arguments in(info);
  const Pipe* const pipe = in.PipeAt(0, "pipe");
  const uint64_t length = in.Length(1, "lengthBytes");
  if (!in.Complete()) return in.Refusal();
  const int64_t null_fd = in.environment().NullFd();
  return Number(in, null_fd < 0 ? null_fd : Discard(*pipe, static_cast<int>(null_fd), length));
}

Value ReadBytes(const CallbackInfo& info) {
  Arguments in(info);
  const Endpoint* const source = in.EndpointAt(0, "source");
  const Bytes target = in.Window(1);
  if (!in.Complete()) return in.Refusal();
  return Number(in, Read(*source, target.data, target.length));
}

/// The parts of the second argument, less the bytes to skip, as the kernel takes them: how many.
size_t PartsAt(Arguments& in, uint64_t skip, iovec (&parts)[IOV_MAX]) {
  size_t count = 0;
  in.EachPart(1, skip, [&](Bytes bytes) {
    parts[count++] = {bytes.data, bytes.length};
    return count < IOV_MAX;
  });
  return count;
}

/// One gathering send of `send` to `sink`: of the parts, less the bytes to skip, and with `more`.
template <typename Sink, typename Send>
Value Gather(Arguments& in, const Sink* sink, const Send& send) {
  const uint64_t skip = in.Length(2, "skipBytes");
  const bool more = in.Flag(3, "more");
  iovec parts[IOV_MAX];
  const size_t count = PartsAt(in, skip, parts);
  if (!in.Complete()) return in.Refusal();
  return Number(in, count == 0 ? 0 : send(*sink, parts, count, more));
}

Value Writev(const CallbackInfo& info) {
  Arguments in(info);
  return Gather(in, in.EndpointAt(0, "sink"), WriteParts);
}

Value WriteEach(const CallbackInfo& info) {
  Arguments in(info);
  const std::vector<Descriptor*> sinks = in.DescriptorsAt(0, "sinks");
  const bool more = in.Flag(2, "more");
  iovec parts[IOV_MAX];
  const size_t count = PartsAt(in, 0, parts);
  double* const taken = in.Results(3, "taken", sinks.size());
  if (!in.Complete()) return in.Refusal();
  for (size_t i = 0; i < sinks.size(); ++i) {
    taken[i] = static_cast<double>(count == 0 ? 0 : WriteParts(*sinks[i], parts, count, more));
  }
  return Number(in, 0);
}

Value Lend(const CallbackInfo& info) {
  Arguments in(info);
  return Gather(in, in.DescriptorAt(0, "socket"), LendParts);
}

Value AllowLend(const CallbackInfo& info) {
  Arguments in(info);
  const Descriptor* const socket = in.DescriptorAt(0, "socket");
  if (!in.Complete()) return in.Refusal();
  return Number(in, AllowLending(*socket));
}

Value Notices(const CallbackInfo& info) {
  Arguments in(info);
  const Descriptor* const socket = in.DescriptorAt(0, "socket");
  if (!in.Complete()) return in.Refusal();
  Napi::Array found = Napi::Array::New(in.env());
  Notice notice;
  int64_t result = 0;
  while ((result = TakeNotice(*socket, &notice)) > 0) {
    const uint32_t at = found.Length();
    found.Set(at, Number(in, notice.first));
    found.Set(at + 1, Number(in, notice.last));
    found.Set(at + 2, Number(in, notice.copied ? 1 : 0));
  }
  return result < 0 && found.Length() == 0 ? Number(in, result) : found;
}

Value WatchNotices(const CallbackInfo& info) {
  Arguments in(info);
  const Descriptor* const socket = in.DescriptorAt(0, "socket");
  const uint64_t token = in.Token(1);
  if (!in.Complete()) return in.Refusal();
  return Number(in, in.environment().WatchNotices(*socket, token));
}

/// Tells what a relay came to, in kRelayedNumbers.
void Put(const Relayed& done, double* numbers) {
  numbers[0] = static_cast<double>(done.moved);
  numbers[1] = static_cast<double>(done.held);
  numbers[2] = done.error;
}

Value RelayBytes(const CallbackInfo& info) {
  Arguments in(info);
  const Descriptor* const source = in.DescriptorAt(0, "source");
  const Pipe* const pipe = in.PipeAt(1, "pipe");
  const Descriptor* const sink = in.DescriptorAt(2, "sink");
  const uint64_t length = in.Length(3, "lengthBytes");
  double* const relayed = in.Results(4, "relayed", kRelayedNumbers);
  if (!in.Complete()) return in.Refusal();
  Put(Relay(*source, *pipe, *sink, length), relayed);
  return Number(in, 0);
}

/// Drops what a sink did not take of its share. Whether all of it is gone.
bool DropHeld(const Sharer& sharer, int null_fd) {
  const uint64_t held = sharer.done.held;
  return Discard(*sharer.through, null_fd, held) == static_cast<int64_t>(held);
}

Value ShareBytes(const CallbackInfo& info) {
  Arguments in(info);
  const Pipe* const from = in.PipeAt(0, "from");
  const std::vector<Pipe*> through = in.PipesAt(1, "through");
  const std::vector<Descriptor*> sinks = in.DescriptorsAt(2, "sinks");
  const std::vector<uint64_t> bursts = in.Lengths(3, "burstsBytes");
  const uint64_t length = in.Length(4, "lengthBytes");
  double* const shared = in.Results(5, "shared", kRelayedNumbers * sinks.size());
  if (in.Complete() && bursts.size() != sinks.size()) {
    in.ThrowRange("burstsBytes needs a number for each sink.");
  }
  if (!in.Complete()) return in.Refusal();
  const int64_t null_fd = in.environment().NullFd();
  if (null_fd < 0) return Number(in, null_fd);
  size_t served = 0;
  for (bool is_dropped = !through.empty(); is_dropped && served < sinks.size();) {
    std::vector<Sharer> sharers;
    const size_t end = std::min(sinks.size(), served + through.size());
    for (size_t next = served; next < end; ++next) {
      sharers.push_back({through[sharers.size()], sinks[next], bursts[next], {}});
    }
    Share(*from, &sharers, length);
    for (const Sharer& sharer : sharers) {
      Put(sharer.done, shared + kRelayedNumbers * served++);
      is_dropped &= DropHeld(sharer, static_cast<int>(null_fd));
    }
  }
  return Number(in, static_cast<int64_t>(served));
}

Value IsCachedRange(const CallbackInfo& info) {
  Arguments in(info);
  const Descriptor* const file = in.DescriptorAt(0, "file");
  const int64_t offset = in.Offset(1, "offset");
  const uint64_t length = in.Length(2, "lengthBytes");
  if (!in.Complete()) return in.Refusal();
  return Napi::Boolean::New(in.env(), IsCached(*file, offset, length));
}

}  // namespace

void ExportMoves(const Napi::Object& exports, Environment* environment) {
  Export<MoveBytes>(exports, "move", environment);
  Export<TeeBytes>(exports, "tee", environment);
  Export<DiscardBytes>(exports, "discard", environment);
  Export<ReadBytes>(exports, "read", environment);
  Export<Writev>(exports, "writev", environment);
  Export<WriteEach>(exports, "writeEach", environment);
  Export<Lend>(exports, "lend", environment);
  Export<AllowLend>(exports, "allowLending", environment);
  Export<Notices>(exports, "notices", environment);
  Export<WatchNotices>(exports, "watchNotices", environment);
  Export<RelayBytes>(exports, "relay", environment);
  Export<ShareBytes>(exports, "share", environment);
  Export<IsCachedRange>(exports, "isCached", environment);
}

}  // namespace splicelist
