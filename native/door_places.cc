/// The calls of lib/native.ts on places: the environment, descriptors, pipes, and waits for them.

#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "descriptor.h"
#include "door.h"
#include "packets.h"
#include "pipe.h"

namespace splicelist {
namespace {

using Napi::CallbackInfo;
using Napi::Value;

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
  object.Set("blocks", Number(in, description.blocks));
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

Value PacketBytesOf(const CallbackInfo& info) {
  Arguments in(info);
  const Descriptor* const socket = in.DescriptorAt(0, "socket");
  if (!in.Complete()) return in.Refusal();
  return Number(in, PacketBytes(*socket));
}

Value IsPacedSocket(const CallbackInfo& info) {
  Arguments in(info);
  const Descriptor* const socket = in.DescriptorAt(0, "socket");
  if (in.thrown()) return {};
  return Napi::Boolean::New(in.env(), socket != nullptr && IsPaced(*socket));
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

Value LendRelayPipe(const CallbackInfo& info) {
  Arguments in(info);
  Pipe* const pipe = in.Value(0).IsNull() ? nullptr : in.PipeAt(0, "pipe");
  if (in.thrown()) return {};
  std::shared_ptr<Pipe> lent;
  if (pipe != nullptr) lent = std::static_pointer_cast<Pipe>(pipe->shared_from_this());
  return Napi::Boolean::New(in.env(), in.environment().LendRelayPipe(std::move(lent)));
}

Value StartRelay(const CallbackInfo& info) {
  Arguments in(info);
  Descriptor* const source = in.DescriptorAt(0, "source");
  Descriptor* const sink = in.DescriptorAt(1, "sink");
  const uint64_t length = in.Length(2, "lengthBytes");
  const uint64_t token = in.Token(3);
  if (!in.Complete()) return in.Refusal();
  // Who waits for either socket has its place in the set.
  Made<Descriptor> from = source->StandIn();
  if (!from.resource) return Number(in, from.error);
  Made<Descriptor> to = sink->ForJob();
  if (!to.resource) return Number(in, to.error);
  return Number(in, in.environment().StartRelay(token, std::move(from.resource),
                                                std::move(to.resource), length));
}

Value EndRelay(const CallbackInfo& info) {
  Arguments in(info);
  const uint64_t token = in.Token(0);
  if (!in.Complete()) return in.Refusal();
  return Number(in, in.environment().EndRelay(token));
}

}  // namespace

void ExportPlaces(const Napi::Object& exports, Environment* environment) {
  Export<Open>(exports, "open", environment);
  Export<Close>(exports, "close", environment);
  Export<Adopt>(exports, "adopt", environment);
  Export<Describe>(exports, "describe", environment);
  Export<Seek>(exports, "seek", environment);
  Export<FileSystem>(exports, "fileSystem", environment);
  Export<DirectAlignment>(exports, "directAlignment", environment);
  Export<LowWater>(exports, "lowWater", environment);
  Export<PacketBytesOf>(exports, "packetBytes", environment);
  Export<IsPacedSocket>(exports, "isPaced", environment);
  Export<PendingBytes>(exports, "pending", environment);
  Export<OpenPipe>(exports, "pipe", environment);
  Export<Slots>(exports, "slots", environment);
  Export<Resize>(exports, "resize", environment);
  Export<HasRoom>(exports, "hasRoom", environment);
  Export<Drop>(exports, "drop", environment);
  Export<Wait>(exports, "wait", environment);
  Export<Unwait>(exports, "unwait", environment);
  Export<LendRelayPipe>(exports, "lendRelayPipe", environment);
  Export<StartRelay>(exports, "startRelay", environment);
  Export<EndRelay>(exports, "endRelay", environment);
}

}  // namespace splicelist
