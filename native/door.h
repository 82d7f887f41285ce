#ifndef SPLICELIST_NATIVE_DOOR_H_
#define SPLICELIST_NATIVE_DOOR_H_

#include <napi.h>

#include <cstdint>
#include <utility>

#include "arguments.h"
#include "environment.h"
#include "handle.h"

namespace splicelist {

/// What every call of the table returns by, and how it gets there. Each call reads its arguments,
/// makes one call of the classes beside it, and returns what that returned; nothing is decided in
/// them.
/// @{

/// A number: bytes, or −errno.
inline Napi::Value Number(const Arguments& in, int64_t number) {
  return Napi::Number::New(in.env(), static_cast<double>(number));
}

/// 32 bits as JavaScript's own operators give them: signed, so that every one is a small integer.
inline Napi::Value Word(const Arguments& in, uint32_t word) {
  napi_value value = nullptr;
  napi_create_int32(in.env(), static_cast<int32_t>(word), &value);
  return {in.env(), value};
}

/// The handle of a new resource, or why there is none.
template <typename T>
Napi::Value Wrapped(const Arguments& in, Made<T> made) {
  if (!made.resource) return Number(in, made.error);
  return {in.env(),
          Handle::Wrap(in.env(), in.environment().shared_from_this(), std::move(made.resource))};
}

/// Puts a call into the table, by its name in lib/native.ts.
template <Napi::Value (*kCall)(const Napi::CallbackInfo&)>
void Export(Napi::Object exports, const char* name, Environment* environment) {
  exports.Set(name, Napi::Function::New<kCall>(exports.Env(), name, environment));
}
/// @}

/// The table, by subject.
/// @{
/// Of places: the environment, descriptors, pipes, and waits for them.
void ExportPlaces(const Napi::Object& exports, Environment* environment);
/// Of moves: calls that move bytes at once, and never wait.
void ExportMoves(const Napi::Object& exports, Environment* environment);
/// Of jobs: what runs on a disk thread, because it may wait.
void ExportJobs(const Napi::Object& exports, Environment* environment);
/// Of memory: slabs, pages and checksums.
void ExportMemory(const Napi::Object& exports, Environment* environment);
/// Of probes: what the machine has and what is live here, and the kernel that tests script.
void ExportProbes(const Napi::Object& exports, Environment* environment);
/// @}

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_DOOR_H_
