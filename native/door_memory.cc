/// The calls of lib/native.ts on memory: slabs, pages and checksums.

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "crc32c.h"
#include "door.h"
#include "lend.h"
#include "pipe.h"
#include "slab.h"

namespace splicelist {
namespace {

using Napi::CallbackInfo;
using Napi::Value;

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

}  // namespace

void ExportMemory(const Napi::Object& exports, Environment* environment) {
  Export<MapSlab>(exports, "slab", environment);
  Export<MapPages>(exports, "pages", environment);
  Export<GivePages>(exports, "vmsplice", environment);
  Export<RenewPages>(exports, "renew", environment);
  Export<ViewSlab>(exports, "view", environment);
  Export<DetachSlab>(exports, "detach", environment);
  Export<Checksum>(exports, "crc32c", environment);
  Export<ChecksumForms>(exports, "crc32cForms", environment);
  Export<ChecksumBy>(exports, "crc32cBy", environment);
}

}  // namespace splicelist
