#ifndef SPLICELIST_NATIVE_ARGUMENTS_H_
#define SPLICELIST_NATIVE_ARGUMENTS_H_

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "descriptor.h"
#include "environment.h"
#include "handle.h"
#include "pipe.h"
#include "resource.h"
#include "slab.h"

namespace splicelist {

/// The largest whole number that JavaScript can tell from its neighbours.
constexpr int64_t kWholeMax = (int64_t{1} << 53) - 1;

/// Bytes of JavaScript, valid during the call only.
struct Bytes {
  /// The first one; may be null when there is none.
  uint8_t* data = nullptr;
  /// How many.
  size_t length = 0;
};

/// The arguments of one call from JavaScript, and what comes of checking them.
///
/// Made at the beginning of every call of the table. The first argument that is wrong throws into
/// JavaScript, and the readers give harmless values from then on; so a call reads all it needs,
/// asks `Complete()` once, and returns `Refusal()` when that says no. A number or a resource costs
/// one call of Node-API, a view one or two.
class Arguments {
 public:
  /// Those of the call `info`, whose data is the Environment.
  explicit Arguments(const Napi::CallbackInfo& info);

  /// Whether all that was read is of its type, and no resource among it has been dropped.
  bool Complete() const { return !thrown_ && !dropped_; }
  /// What to return when not Complete: nothing with an exception pending, else −EBADF.
  Napi::Value Refusal() const;
  /// Whether an exception is pending.
  bool thrown() const { return thrown_; }

  /// The environment of the call.
  Environment& environment() const { return *environment_; }
  /// The environment of Node-API.
  Napi::Env env() const { return info_.Env(); }
  /// The argument as it is.
  Napi::Value Value(size_t index) const { return info_[index]; }

  /// A whole number from `min` to `max`.
  int64_t Whole(size_t index, const char* name, int64_t min, int64_t max);
  /// A number of bytes.
  uint64_t Length(size_t index, const char* name);
  /// An offset, or kOwnPosition.
  int64_t Offset(size_t index, const char* name);
  /// A token.
  uint64_t Token(size_t index);
  /// 32 bits, of a signed or of an unsigned number.
  uint32_t Word(size_t index, const char* name);
  /// A boolean.
  bool Flag(size_t index, const char* name);
  /// One of two words: true for `yes`, false for `no`.
  bool Choice(size_t index, const char* name, const char* yes, const char* no);

  /// Any resource's handle.
  Handle* AnyHandle(size_t index, const char* name);
  /// A descriptor.
  Descriptor* DescriptorAt(size_t index, const char* name);
  /// An array of descriptors.
  std::vector<Descriptor*> DescriptorsAt(size_t index, const char* name);
  /// An array of pipes.
  std::vector<Pipe*> PipesAt(size_t index, const char* name);
  /// A pipe.
  Pipe* PipeAt(size_t index, const char* name);
  /// A slab.
  Slab* SlabAt(size_t index, const char* name);
  /// A descriptor or a pipe.
  Endpoint* EndpointAt(size_t index, const char* name);
  /// A descriptor, `count` times, or an array of `count` pipes.
  std::vector<Endpoint*> EndpointsAt(size_t index, const char* name, size_t count);
  /// An array of numbers of bytes.
  std::vector<uint64_t> Lengths(size_t index, const char* name);

  /// The memory of a Float64Array of at least `count` numbers, for results: an array made and set
  /// element by element costs 250 ns each. Valid during the call only; null once one threw.
  double* Results(size_t index, const char* name, size_t count);

  /// A Uint8Array.
  Bytes View(size_t index, const char* name);
  /// The bytes of the Uint8Array at `index` that the offset and the length after it name.
  Bytes Window(size_t index);
  /// Calls `take(Bytes)` for each Uint8Array of the array at `index`, without the first `skip`
  /// bytes and without empty ones, for as long as `take` returns true.
  template <typename Take>
  void EachPart(size_t index, uint64_t skip, const Take& take);

  /// Throws a TypeError: `name` should be `what`.
  void ThrowType(const char* name, const char* what);
  /// Throws a RangeError with `message`.
  void ThrowRange(const std::string& message);

 private:
  Resource* ResourceAt(size_t index) { return ResourceOf(info_[index]); }
  Resource* ResourceOf(napi_value value);
  napi_value Element(napi_value array, uint32_t index) const;
  /// Calls `take(Resource*)` for each of the `count` resources of the array at `index`. False where
  /// one is of another kind than `kind`, for `name` should be `what`, or was dropped.
  template <typename Take>
  bool EachResource(size_t index, uint32_t count, Resource::Kind kind, const char* name,
                    const char* what, const Take& take);
  /// The resources of the array at `index`, all of one kind; `name` should be `what`.
  template <typename T>
  std::vector<T*> ArrayOf(size_t index, Resource::Kind kind, const char* name, const char* what);
  bool ReadView(napi_value value, const char* name, Bytes* bytes);

  const Napi::CallbackInfo& info_;
  Environment* const environment_;
  bool thrown_ = false;
  bool dropped_ = false;
};

template <typename Take>
bool Arguments::EachResource(size_t index, uint32_t count, Resource::Kind kind, const char* name,
                             const char* what, const Take& take) {
  for (uint32_t i = 0; i < count; ++i) {
    Resource* const resource = ResourceOf(Element(info_[index], i));
    if (resource == nullptr || resource->kind() != kind) {
      if (!dropped_) ThrowType(name, what);
      return false;
    }
    take(resource);
  }
  return true;
}

template <typename T>
std::vector<T*> Arguments::ArrayOf(size_t index, Resource::Kind kind, const char* name,
                                   const char* what) {
  uint32_t count = 0;
  if (thrown_) return {};
  if (napi_get_array_length(env(), info_[index], &count) != napi_ok) {
    ThrowType(name, what);
    return {};
  }
  std::vector<T*> found;
  EachResource(index, count, kind, name, what,
               [&](Resource* each) { found.push_back(static_cast<T*>(each)); });
  return found;
}

template <typename Take>
void Arguments::EachPart(size_t index, uint64_t skip, const Take& take) {
  const napi_value array = info_[index];
  uint32_t count = 0;
  if (thrown_) return;
  if (napi_get_array_length(env(), array, &count) != napi_ok) {
    ThrowType("parts", "an array of Uint8Arrays");
    return;
  }
  for (uint32_t i = 0; i < count; ++i) {
    Bytes bytes;
    if (!ReadView(Element(array, i), "every part", &bytes)) return;
    const uint64_t left_out = skip < bytes.length ? skip : bytes.length;
    skip -= left_out;
    if (left_out == bytes.length) continue;
    if (!take(Bytes{bytes.data + left_out, static_cast<size_t>(bytes.length - left_out)})) return;
  }
}

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_ARGUMENTS_H_
