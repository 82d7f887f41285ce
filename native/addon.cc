/// The table of calls that lib/native.ts describes, and the module's entry.
///
/// Each function here reads its arguments, makes one call of the classes beside this file, and
/// returns what that returned. Nothing is decided here.

#include <napi.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "arguments.h"
#include "crc32c.h"
#include "descriptor.h"
#include "disk_job.h"
#include "environment.h"
#include "handle.h"
#include "lend.h"
#include "move.h"
#include "pipe.h"
#include "probe.h"
#include "script.h"
#include "slab.h"
#include "system_limits.h"

namespace splicelist {
namespace {

using Napi::CallbackInfo;
using Napi::Value;

Value Number(const Arguments& in, int64_t number) {
  return Napi::Number::New(in.env(), static_cast<double>(number));
}

/// 32 bits as JavaScript's own operators give them: signed, so that every one is a small integer.
Value Word(const Arguments& in, uint32_t word) {
  napi_value value = nullptr;
  napi_create_int32(in.env(), static_cast<int32_t>(word), &value);
  return {in.env(), value};
}

/// The handle of a new resource, or why there is none.
template <typename T>
Value Wrapped(const Arguments& in, Made<T> made) {
  if (!made.resource) return Number(in, made.error);
  return {in.env(),
          Handle::Wrap(in.env(), in.environment().shared_from_this(), std::move(made.resource))};
}

/// What a job may use of `endpoint` on its own thread.
Made<Endpoint> ForJob(Endpoint* endpoint) {
  if (endpoint->kind() == Resource::Kind::kPipe) {
    return {std::static_pointer_cast<Endpoint>(endpoint->shared_from_this()), 0};
  }
  Made<Descriptor> made = static_cast<Descriptor*>(endpoint)->ForJob();
  return {std::move(made.resource), made.error};
}

/// The same for the endpoints of all steps, into `shares`; one that repeats is shared. 0 or −errno.
int ForJobs(const std::vector<Endpoint*>& endpoints,
            std::vector<std::shared_ptr<Endpoint>>* shares) {
  for (size_t i = 0; i < endpoints.size(); ++i) {
    const bool repeats = i > 0 && endpoints[i] == endpoints[i - 1];
    Made<Endpoint> made = repeats ? Made<Endpoint>{shares->back(), 0} : ForJob(endpoints[i]);
    if (!made.resource) return made.error;
    shares->push_back(std::move(made.resource));
  }
  return 0;
}

Value Open(const CallbackInfo& info) {
  Arguments in(info);
  const Value events = in.Value(1);
  if (!in.Value(0).IsFunction()) in.ThrowType("onEvents", "a function");
  const bool floats =
      events.IsTypedArray() && events.As<Napi::TypedArray>().TypedArrayType() == napi_float64_array;
  if (!floats || events.As<Napi::TypedArray>().ElementLength() < Environment::kRecordNumbers) {
    in.ThrowType("events", "a Float64Array with room for a record");
  }
  const auto kind = in.Choice(2, "waker", "loop", "thread") ? Environment::WakerKind::kLoop
                                                            : Environment::WakerKind::kThread;
  if (in.thrown()) return {};
  const int64_t result = in.environment().Open(in.Value(0), events, kind);
  if (result < 0) {
    Napi::Error::New(in.env(), std::string("The addon cannot open: ") +
                                   std::strerror(static_cast<int>(-result)) + ".")
        .ThrowAsJavaScriptException();
  }
  return {};
}

Value Close(const CallbackInfo& info) {
  Arguments(info).environment().Close();
  return {};
}

Value Adopt(const CallbackInfo& info) {
  Arguments in(info);
  const auto fd = static_cast<int>(in.Whole(0, "fd", INT_MIN, INT_MAX));
  const bool borrow = in.Choice(1, "ownership", "borrow", "duplicate");
  if (!in.Complete() || in.environment().closed()) return in.Refusal();
  const auto& census = in.environment().census();
  return Wrapped(in, borrow ? Descriptor::Borrow(census, fd) : Descriptor::Duplicate(census, fd));
}

Value Describe(const CallbackInfo& info) {
  Arguments in(info);
  const Descriptor* const descriptor = in.DescriptorAt(0, "descriptor");
  if (!in.Complete()) return in.Refusal();
  Description description;
  const int64_t result = descriptor->Describe(&description);
  if (result < 0) return Number(in, result);
  Napi::Object object = Napi::Object::New(in.env());
  object.Set("type", Number(in, description.type));
  object.Set("flags", Number(in, description.flags));
  object.Set("sizeBytes", Number(in, description.size));
  object.Set("family", Number(in, description.family));
  object.Set("socketType", Number(in, description.socket_type));
  return object;
}

Value Seek(const CallbackInfo& info) {
  Arguments in(info);
  const Descriptor* const descriptor = in.DescriptorAt(0, "descriptor");
  const int64_t offset = in.Whole(1, "offset", -kWholeMax, kWholeMax);
  const auto whence = static_cast<int>(in.Whole(2, "whence", SEEK_SET, SEEK_END));
  if (!in.Complete()) return in.Refusal();
  return Number(in, descriptor->Seek(offset, whence));
}

Value FileSystem(const CallbackInfo& info) {
  Arguments in(info);
  const Descriptor* const descriptor = in.DescriptorAt(0, "descriptor");
  if (!in.Complete()) return in.Refusal();
  return Number(in, descriptor->FileSystem());
}

Value DirectAlignment(const CallbackInfo& info) {
  Arguments in(info);
  const Descriptor* const descriptor = in.DescriptorAt(0, "descriptor");
  if (!in.Complete()) return in.Refusal();
  return Number(in, descriptor->DirectAlignment());
}

Value LowWater(const CallbackInfo& info) {
  Arguments in(info);
  const Descriptor* const descriptor = in.DescriptorAt(0, "descriptor");
  const auto bytes = static_cast<int>(in.Whole(1, "bytes", 0, INT_MAX));
  if (!in.Complete()) return in.Refusal();
  return Number(in, descriptor->SetLowWater(bytes));
}

Value PendingBytes(const CallbackInfo& info) {
  Arguments in(info);
  const Endpoint* const from = in.EndpointAt(0, "from");
  if (!in.Complete()) return in.Refusal();
  return Number(in, Pending(*from));
}

Value OpenPipe(const CallbackInfo& info) {
  Arguments in(info);
  const auto slots = static_cast<int>(in.Whole(0, "slots", 1, INT_MAX / PageBytes()));
  if (!in.Complete() || in.environment().closed()) return in.Refusal();
  return Wrapped(in, Pipe::Open(in.environment().census(), slots));
}

Value Slots(const CallbackInfo& info) {
  Arguments in(info);
  const Pipe* const pipe = in.PipeAt(0, "pipe");
  if (!in.Complete()) return in.Refusal();
  return Number(in, pipe->Slots());
}

Value Resize(const CallbackInfo& info) {
  Arguments in(info);
  const Pipe* const pipe = in.PipeAt(0, "pipe");
  const auto slots = static_cast<int>(in.Whole(1, "slots", 1, INT_MAX / PageBytes()));
  if (!in.Complete()) return in.Refusal();
  return Number(in, pipe->Resize(slots));
}

Value HasRoom(const CallbackInfo& info) {
  Arguments in(info);
  const Pipe* const pipe = in.PipeAt(0, "pipe");
  if (in.thrown()) return {};
  return Napi::Boolean::New(in.env(), pipe != nullptr && pipe->HasRoom());
}

Value Drop(const CallbackInfo& info) {
  Arguments in(info);
  Handle* const handle = in.AnyHandle(0, "resource");
  if (handle != nullptr) in.environment().Drop(handle);
  return {};
}

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

/// One gathering send of `send` to `sink`: of the parts, less the bytes to skip, and with `more`.
template <typename Sink, typename Send>
Value Gather(Arguments& in, const Sink* sink, const Send& send) {
  const uint64_t skip = in.Length(2, "skipBytes");
  const bool more = in.Flag(3, "more");
  iovec parts[IOV_MAX];
  size_t count = 0;
  in.EachPart(1, skip, [&](Bytes bytes) {
    parts[count++] = {bytes.data, bytes.length};
    return count < IOV_MAX;
  });
  if (!in.Complete()) return in.Refusal();
  return Number(in, count == 0 ? 0 : send(*sink, parts, count, more));
}

Value Writev(const CallbackInfo& info) {
  Arguments in(info);
  return Gather(in, in.EndpointAt(0, "sink"), WriteParts);
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

Value Wait(const CallbackInfo& info) {
  Arguments in(info);
  const Descriptor* const descriptor = in.DescriptorAt(0, "descriptor");
  const auto mask = static_cast<uint32_t>(in.Whole(1, "mask", 1, kReadable | kWritable));
  const uint64_t token = in.Token(2);
  if (!in.Complete()) return in.Refusal();
  return Number(in, in.environment().Wait(*descriptor, mask, token));
}

Value Unwait(const CallbackInfo& info) {
  Arguments in(info);
  const Descriptor* const descriptor = in.DescriptorAt(0, "descriptor");
  if (descriptor != nullptr) in.environment().Unwait(*descriptor);
  return {};
}

Value Pump(const CallbackInfo& info) {
  Arguments in(info);
  const std::vector<uint64_t> lengths = in.Lengths(4, "lengthsBytes");
  const std::vector<Endpoint*> sources = in.EndpointsAt(0, "source", lengths.size());
  const int64_t source_offset = in.Offset(1, "sourceOffset");
  const std::vector<Endpoint*> sinks = in.EndpointsAt(2, "sink", lengths.size());
  const int64_t sink_offset = in.Offset(3, "sinkOffset");
  const uint64_t token = in.Token(5);
  if (!in.Complete()) return in.Refusal();
  std::vector<std::shared_ptr<Endpoint>> from;
  std::vector<std::shared_ptr<Endpoint>> to;
  int error = ForJobs(sources, &from);
  if (error == 0) error = ForJobs(sinks, &to);
  if (error != 0) return Number(in, error);
  std::vector<PumpStep> steps;
  for (size_t i = 0; i < lengths.size(); ++i) {
    steps.push_back({std::move(from[i]), std::move(to[i]), lengths[i]});
  }
  const auto job = std::make_shared<PumpJob>(in.environment().census(), token, std::move(steps),
                                             source_offset, sink_offset);
  return Number(in, in.environment().Submit(job, nullptr));
}

Value RelayBytes(const CallbackInfo& info) {
  Arguments in(info);
  const Descriptor* const source = in.DescriptorAt(0, "source");
  const Pipe* const pipe = in.PipeAt(1, "pipe");
  const Descriptor* const sink = in.DescriptorAt(2, "sink");
  const uint64_t length = in.Length(3, "lengthBytes");
  if (!in.Complete()) return in.Refusal();
  const Relayed done = Relay(*source, *pipe, *sink, length);
  // What most calls come to, as one number: an array costs as much as a small splice.
  if (done.error == 0) return Number(in, static_cast<int64_t>(done.moved));
  if (done.moved == 0 && done.held == 0) return Number(in, -done.error);
  Napi::Array result = Napi::Array::New(in.env(), 3);
  result.Set(uint32_t{0}, Number(in, static_cast<int64_t>(done.moved)));
  result.Set(uint32_t{1}, Number(in, static_cast<int64_t>(done.held)));
  result.Set(uint32_t{2}, Number(in, done.error));
  return result;
}

Value Carry(const CallbackInfo& info) {
  Arguments in(info);
  Descriptor* const source = in.DescriptorAt(0, "source");
  const int64_t source_offset = in.Offset(1, "sourceOffset");
  Pipe* const pipe = in.Value(2).IsNull() ? nullptr : in.PipeAt(2, "pipe");
  Descriptor* const sink = in.DescriptorAt(3, "sink");
  const int64_t sink_offset = in.Offset(4, "sinkOffset");
  const uint64_t length = in.Length(5, "lengthBytes");
  const auto patience =
      static_cast<int>(in.Whole(6, "patienceMs", 0, CarryJob::kPatienceMillisecondsMax));
  const uint64_t token = in.Token(7);
  if (!in.Complete()) return in.Refusal();
  const Made<Descriptor> from = source->ForJob();
  if (!from.resource) return Number(in, from.error);
  const Made<Descriptor> to = sink->ForJob();
  if (!to.resource) return Number(in, to.error);
  std::shared_ptr<Pipe> through;
  if (pipe != nullptr) through = std::static_pointer_cast<Pipe>(pipe->shared_from_this());
  const auto job =
      std::make_shared<CarryJob>(in.environment().census(), token, from.resource, source_offset,
                                 std::move(through), to.resource, sink_offset, length, patience);
  return Number(in, in.environment().Submit(job, nullptr));
}

Value IsCachedRange(const CallbackInfo& info) {
  Arguments in(info);
  const Descriptor* const file = in.DescriptorAt(0, "file");
  const int64_t offset = in.Offset(1, "offset");
  const uint64_t length = in.Length(2, "lengthBytes");
  if (!in.Complete()) return in.Refusal();
  return Napi::Boolean::New(in.env(), IsCached(*file, offset, length));
}

Value HasSpareThread(const CallbackInfo& info) {
  Arguments in(info);
  return Napi::Boolean::New(in.env(), in.environment().HasSpareThread());
}

Value ReadAt(const CallbackInfo& info) {
  Arguments in(info);
  Descriptor* const file = in.DescriptorAt(0, "file");
  const int64_t offset = in.Offset(1, "offset");
  const Bytes target = in.Window(2);
  const uint64_t token = in.Token(5);
  if (!in.Complete()) return in.Refusal();
  const Made<Descriptor> from = file->ForJob();
  if (!from.resource) return Number(in, from.error);
  Environment& environment = in.environment();
  const auto job =
      std::make_shared<ReadJob>(environment.census(), token, from.resource, offset, target.data,
                                target.length, environment.KeeperOf(target.data));
  return Number(in, environment.Submit(job, in.Value(2)));
}

Value WriteAt(const CallbackInfo& info) {
  Arguments in(info);
  Descriptor* const file = in.DescriptorAt(0, "file");
  const int64_t offset = in.Offset(1, "offset");
  const uint64_t skip = in.Length(3, "skipBytes");
  const uint64_t token = in.Token(4);
  std::vector<Bytes> parts;
  size_t length = 0;
  in.EachPart(2, skip, [&](Bytes bytes) {
    parts.push_back(bytes);
    length += bytes.length;
    return true;
  });
  if (!in.Complete()) return in.Refusal();
  const Made<Descriptor> to = file->ForJob();
  if (!to.resource) return Number(in, to.error);
  const std::shared_ptr<uint8_t[]> copy(new (std::nothrow) uint8_t[length]);
  if (!copy) return Number(in, -ENOMEM);
  uint8_t* end = copy.get();
  for (const Bytes& bytes : parts) {
    std::memcpy(end, bytes.data, bytes.length);
    end += bytes.length;
  }
  const auto job = std::make_shared<WriteJob>(in.environment().census(), token, to.resource, offset,
                                              copy.get(), length, copy);
  return Number(in, in.environment().Submit(job, nullptr));
}

Value LendAt(const CallbackInfo& info) {
  Arguments in(info);
  Descriptor* const file = in.DescriptorAt(0, "file");
  const int64_t offset = in.Offset(1, "offset");
  const Bytes bytes = in.Window(2);
  const uint64_t token = in.Token(5);
  if (!in.Complete()) return in.Refusal();
  const std::shared_ptr<void> keeper = in.environment().KeeperOf(bytes.data);
  if (!keeper) return Number(in, -EINVAL);
  const Made<Descriptor> to = file->ForJob();
  if (!to.resource) return Number(in, to.error);
  const auto job = std::make_shared<WriteJob>(in.environment().census(), token, to.resource, offset,
                                              bytes.data, bytes.length, keeper);
  return Number(in, in.environment().Submit(job, nullptr));
}

Value Sync(const CallbackInfo& info) {
  Arguments in(info);
  Descriptor* const file = in.DescriptorAt(0, "file");
  const bool data_only = in.Flag(1, "dataOnly");
  const uint64_t token = in.Token(2);
  if (!in.Complete()) return in.Refusal();
  const Made<Descriptor> to = file->ForJob();
  if (!to.resource) return Number(in, to.error);
  const auto job =
      std::make_shared<SyncJob>(in.environment().census(), token, to.resource, data_only);
  return Number(in, in.environment().Submit(job, nullptr));
}

Value CacheRange(const CallbackInfo& info) {
  Arguments in(info);
  Descriptor* const file = in.DescriptorAt(0, "file");
  const auto step = static_cast<CacheJob::Step>(in.Whole(1, "step", 0, 2));
  const int64_t offset = in.Whole(2, "offset", 0, kWholeMax);
  const auto length = static_cast<int64_t>(in.Length(3, "lengthBytes"));
  const uint64_t token = in.Token(4);
  if (!in.Complete()) return in.Refusal();
  const Made<Descriptor> of = file->ForJob();
  if (!of.resource) return Number(in, of.error);
  const auto job = std::make_shared<CacheJob>(in.environment().census(), token, of.resource, step,
                                              offset, length);
  return Number(in, in.environment().Submit(job, nullptr));
}

Value Cancel(const CallbackInfo& info) {
  Arguments in(info);
  const uint64_t token = in.Token(0);
  if (!in.thrown()) in.environment().Cancel(token);
  return {};
}

Value MapSlab(const CallbackInfo& info) {
  Arguments in(info);
  const auto length = static_cast<size_t>(in.Whole(0, "lengthBytes", 1, kWholeMax));
  if (!in.Complete() || in.environment().closed()) return in.Refusal();
  return Wrapped(in, Slab::Map(in.environment().census(), length));
}

Value MapPages(const CallbackInfo& info) {
  Arguments in(info);
  const auto length = static_cast<size_t>(in.Whole(0, "lengthBytes", 1, kWholeMax));
  if (!in.Complete() || in.environment().closed()) return in.Refusal();
  return Wrapped(in, Slab::MapPrivate(in.environment().census(), length));
}

Value GivePages(const CallbackInfo& info) {
  Arguments in(info);
  const Slab* const slab = in.SlabAt(0, "slab");
  const uint64_t offset = in.Length(1, "offset");
  const uint64_t length = in.Length(2, "lengthBytes");
  const Pipe* const pipe = in.PipeAt(3, "pipe");
  if (!in.Complete()) return in.Refusal();
  return Number(in, Vmsplice(*slab, offset, length, *pipe));
}

Value RenewPages(const CallbackInfo& info) {
  Arguments in(info);
  Slab* const slab = in.SlabAt(0, "slab");
  const uint64_t offset = in.Length(1, "offset");
  const uint64_t length = in.Length(2, "lengthBytes");
  if (!in.Complete()) return in.Refusal();
  return Number(in, slab->Renew(offset, length));
}

Value ViewSlab(const CallbackInfo& info) {
  Arguments in(info);
  Slab* const slab = in.SlabAt(0, "slab");
  const auto length = static_cast<size_t>(in.Length(1, "lengthBytes"));
  if (!in.Complete()) return in.Refusal();
  napi_value array_buffer = nullptr;
  const int error = slab->View(in.env(), length, &array_buffer);
  return error < 0 ? Number(in, error) : Value(in.env(), array_buffer);
}

Value DetachSlab(const CallbackInfo& info) {
  Arguments in(info);
  Slab* const slab = in.SlabAt(0, "slab");
  if (slab != nullptr) slab->Detach(in.env());
  return {};
}

Value Checksum(const CallbackInfo& info) {
  Arguments in(info);
  const Bytes bytes = in.View(0, "bytes");
  const uint32_t seed = in.Word(1, "seed");
  if (!in.Complete()) return in.Refusal();
  return Word(in, Crc32c(seed, bytes.data, bytes.length));
}

Value ChecksumForms(const CallbackInfo& info) {
  const Arguments in(info);
  const auto& forms = Crc32cForms();
  Napi::Array names = Napi::Array::New(in.env(), forms.size());
  for (uint32_t i = 0; i < forms.size(); ++i) {
    names.Set(i, Napi::String::New(in.env(), forms[i].name));
  }
  return names;
}

Value ChecksumBy(const CallbackInfo& info) {
  Arguments in(info);
  const auto form =
      static_cast<size_t>(in.Whole(0, "form", 0, static_cast<int64_t>(Crc32cForms().size()) - 1));
  const Bytes bytes = in.View(1, "bytes");
  const uint32_t seed = in.Word(2, "seed");
  if (!in.Complete()) return in.Refusal();
  return Word(in, Crc32cForms()[form].run(seed, bytes.data, bytes.length));
}

Value OpenMemoryFile(const CallbackInfo& info) {
  const Arguments in(info);
  if (in.environment().closed()) return in.Refusal();
  return Wrapped(in, MemoryFile(in.environment().census()));
}

Value OpenSocketPair(const CallbackInfo& info) {
  const Arguments in(info);
  if (in.environment().closed()) return in.Refusal();
  std::shared_ptr<Descriptor> ends[2];
  const int error = SocketPair(in.environment().census(), ends);
  if (error < 0) return Number(in, error);
  Napi::Array pair = Napi::Array::New(in.env(), 2);
  pair.Set(0U, Wrapped(in, Made<Descriptor>{std::move(ends[0]), 0}));
  pair.Set(1U, Wrapped(in, Made<Descriptor>{std::move(ends[1]), 0}));
  return pair;
}

Value ReadCachedBytes(const CallbackInfo& info) {
  Arguments in(info);
  const Descriptor* const file = in.DescriptorAt(0, "file");
  const int64_t offset = in.Offset(1, "offset");
  const Bytes target = in.Window(2);
  if (!in.Complete()) return in.Refusal();
  return Number(in, ReadCached(*file, offset, target.data, target.length));
}

Value Limits(const CallbackInfo& info) {
  const Arguments in(info);
  const SystemLimits limits = ReadSystemLimits();
  Napi::Object object = Napi::Object::New(in.env());
  object.Set("pageBytes", Number(in, limits.page_bytes));
  object.Set("pipeMaxBytes", Number(in, limits.pipe_max_bytes));
  object.Set("userPagesSoft", Number(in, limits.user_pages_soft));
  object.Set("userPagesHard", Number(in, limits.user_pages_hard));
  object.Set("openFilesMax", Number(in, limits.open_files_max));
  object.Set("privileged", Napi::Boolean::New(in.env(), limits.privileged));
  return object;
}

Value Live(const CallbackInfo& info) {
  const Arguments in(info);
  const Census& census = *in.environment().census();
  Napi::Object object = Napi::Object::New(in.env());
  object.Set("pipes", Number(in, census.pipes.load()));
  object.Set("descriptors", Number(in, census.descriptors.load()));
  object.Set("slabs", Number(in, census.slabs.load()));
  object.Set("jobs", Number(in, census.jobs.load()));
  object.Set("orphans", Number(in, census.orphans.load()));
  object.Set("waits", Number(in, in.environment().waits()));
  return object;
}

/// A field of a rule: a whole number, or `otherwise` when it is not there.
uint64_t RuleNumber(Arguments* in, const Napi::Object& rule, const char* name, uint64_t otherwise) {
  const Value value = rule.Get(name);
  if (in->env().IsExceptionPending() || value.IsUndefined()) return otherwise;
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number <= static_cast<double>(kWholeMax))) {
    in->ThrowType(name, "a whole number");
    return otherwise;
  }
  return static_cast<uint64_t>(number);
}

ScriptRule ReadRule(Arguments* in, const Value& value) {
  ScriptRule rule;
  if (!value.IsObject()) {
    in->ThrowType("every rule", "an object");
    return rule;
  }
  const auto object = value.As<Napi::Object>();
  const Value call = object.Get("call");
  const int index = call.IsString() ? ScriptedCall(call.As<Napi::String>().Utf8Value()) : -1;
  if (index < 0) in->ThrowType("call", "the name of a system call in the table");
  rule.call = static_cast<size_t>(index);
  rule.skip = RuleNumber(in, object, "skip", 0);
  rule.times = RuleNumber(in, object, "times", 1);
  rule.error = static_cast<int>(RuleNumber(in, object, "errno", 0));
  rule.max_bytes = RuleNumber(in, object, "maxBytes", UINT64_MAX);
  return rule;
}

Value Script(const CallbackInfo& info) {
  Arguments in(info);
  if (in.Value(0).IsNull()) {
    EndScript();
    return {};
  }
  if (!in.Value(0).IsArray()) {
    in.ThrowType("rules", "an array or null");
    return {};
  }
  const auto array = in.Value(0).As<Napi::Array>();
  std::vector<ScriptRule> rules;
  for (uint32_t i = 0; i < array.Length() && !in.thrown(); ++i) {
    rules.push_back(ReadRule(&in, array.Get(i)));
  }
  if (!in.thrown() && !in.env().IsExceptionPending()) StartScript(std::move(rules));
  return {};
}

Value ScriptedCalls(const CallbackInfo& info) {
  auto object = Napi::Object::New(info.Env());
  for (const auto& [call, times] : ScriptCounts()) {
    object.Set(call, Napi::Number::New(info.Env(), static_cast<double>(times)));
  }
  return object;
}

/// The call table, by the names of lib/native.ts.
template <Napi::Value (*kCall)(const CallbackInfo&)>
void Export(Napi::Object exports, const char* name, Environment* environment) {
  exports.Set(name, Napi::Function::New<kCall>(exports.Env(), name, environment));
}

void ExportPlaces(const Napi::Object& exports, Environment* environment) {
  Export<Open>(exports, "open", environment);
  Export<Close>(exports, "close", environment);
  Export<Adopt>(exports, "adopt", environment);
  Export<Describe>(exports, "describe", environment);
  Export<Seek>(exports, "seek", environment);
  Export<FileSystem>(exports, "fileSystem", environment);
  Export<DirectAlignment>(exports, "directAlignment", environment);
  Export<LowWater>(exports, "lowWater", environment);
  Export<PendingBytes>(exports, "pending", environment);
  Export<OpenPipe>(exports, "pipe", environment);
  Export<Slots>(exports, "slots", environment);
  Export<Resize>(exports, "resize", environment);
  Export<HasRoom>(exports, "hasRoom", environment);
  Export<Drop>(exports, "drop", environment);
  Export<Wait>(exports, "wait", environment);
  Export<Unwait>(exports, "unwait", environment);
}

void ExportMoves(const Napi::Object& exports, Environment* environment) {
  Export<MoveBytes>(exports, "move", environment);
  Export<RelayBytes>(exports, "relay", environment);
  Export<TeeBytes>(exports, "tee", environment);
  Export<DiscardBytes>(exports, "discard", environment);
  Export<ReadBytes>(exports, "read", environment);
  Export<Writev>(exports, "writev", environment);
  Export<Lend>(exports, "lend", environment);
  Export<AllowLend>(exports, "allowLending", environment);
  Export<Notices>(exports, "notices", environment);
  Export<WatchNotices>(exports, "watchNotices", environment);
}

void ExportJobs(const Napi::Object& exports, Environment* environment) {
  Export<Pump>(exports, "pump", environment);
  Export<Carry>(exports, "carry", environment);
  Export<IsCachedRange>(exports, "isCached", environment);
  Export<HasSpareThread>(exports, "hasSpareThread", environment);
  Export<ReadAt>(exports, "readAt", environment);
  Export<WriteAt>(exports, "writeAt", environment);
  Export<LendAt>(exports, "lendAt", environment);
  Export<Sync>(exports, "sync", environment);
  Export<CacheRange>(exports, "cacheRange", environment);
  Export<Cancel>(exports, "cancel", environment);
}

void ExportMemory(const Napi::Object& exports, Environment* environment) {
  Export<MapSlab>(exports, "slab", environment);
  Export<MapPages>(exports, "pages", environment);
  Export<GivePages>(exports, "vmsplice", environment);
  Export<RenewPages>(exports, "renew", environment);
  Export<ViewSlab>(exports, "view", environment);
  Export<DetachSlab>(exports, "detach", environment);
}

void ExportRest(const Napi::Object& exports, Environment* environment) {
  Export<Checksum>(exports, "crc32c", environment);
  Export<ChecksumForms>(exports, "crc32cForms", environment);
  Export<ChecksumBy>(exports, "crc32cBy", environment);
  Export<OpenMemoryFile>(exports, "memoryFile", environment);
  Export<OpenSocketPair>(exports, "socketPair", environment);
  Export<ReadCachedBytes>(exports, "readCached", environment);
  Export<Limits>(exports, "limits", environment);
  Export<Live>(exports, "live", environment);
  Export<Script>(exports, "script", environment);
  Export<ScriptedCalls>(exports, "scriptedCalls", environment);
}

void ExportAll(const Napi::Object& exports, Environment* environment) {
  ExportPlaces(exports, environment);
  ExportMoves(exports, environment);
  ExportJobs(exports, environment);
  ExportMemory(exports, environment);
  ExportRest(exports, environment);
}

void EndEnvironment(napi_env /*env*/, void* environment, void* /*hint*/) {
  delete static_cast<std::shared_ptr<Environment>*>(environment);
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  auto* const environment = new std::shared_ptr<Environment>(std::make_shared<Environment>(env));
  napi_set_instance_data(env, environment, EndEnvironment, nullptr);
  ExportAll(exports, environment->get());
  return exports;
}

NODE_API_MODULE(splicelist, Init)

}  // namespace
}  // namespace splicelist
