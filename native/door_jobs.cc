/// The calls of lib/native.ts on jobs: what runs on a disk thread, because it may wait.

#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "descriptor.h"
#include "disk_job.h"
#include "door.h"
#include "pipe.h"
#include "slab.h"

namespace splicelist {
namespace {

using Napi::CallbackInfo;
using Napi::Value;

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

Value Carry(const CallbackInfo& info) {
  Arguments in(info);
  Descriptor* const source = in.DescriptorAt(0, "source");
  const int64_t source_offset = in.Offset(1, "sourceOffset");
  Pipe* const pipe = in.Value(2).IsNull() ? nullptr : in.PipeAt(2, "pipe");
  Descriptor* const sink = in.DescriptorAt(3, "sink");
  const int64_t sink_offset = in.Offset(4, "sinkOffset");
  const uint64_t length = in.Length(5, "lengthBytes");
  const auto burst = static_cast<uint64_t>(in.Whole(6, "burstBytes", 1, kWholeMax));
  const auto gathered = static_cast<int>(in.Whole(7, "gatheredBytes", 1, INT_MAX));
  const auto patience =
      static_cast<int>(in.Whole(8, "patienceMs", 0, CarryJob::kPatienceMillisecondsMax));
  const uint64_t token = in.Token(9);
  if (!in.Complete()) return in.Refusal();
  const Made<Descriptor> from = source->ForJob();
  if (!from.resource) return Number(in, from.error);
  const Made<Descriptor> to = sink->ForJob();
  if (!to.resource) return Number(in, to.error);
  std::shared_ptr<Pipe> through;
  if (pipe != nullptr) through = std::static_pointer_cast<Pipe>(pipe->shared_from_this());
  const auto job = std::make_shared<CarryJob>(in.environment().census(), token, from.resource,
                                              source_offset, std::move(through), to.resource,
                                              sink_offset, length, burst, gathered, patience);
  return Number(in, in.environment().Submit(job, nullptr));
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

}  // namespace

void ExportJobs(const Napi::Object& exports, Environment* environment) {
  Export<Pump>(exports, "pump", environment);
  Export<Carry>(exports, "carry", environment);
  Export<HasSpareThread>(exports, "hasSpareThread", environment);
  Export<ReadAt>(exports, "readAt", environment);
  Export<WriteAt>(exports, "writeAt", environment);
  Export<LendAt>(exports, "lendAt", environment);
  Export<Sync>(exports, "sync", environment);
  Export<CacheRange>(exports, "cacheRange", environment);
  Export<Cancel>(exports, "cancel", environment);
}

}  // namespace splicelist
