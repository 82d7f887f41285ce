/// The calls of lib/native.ts on probes: what the machine has and what is live here, and the kernel
/// that tests script.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "descriptor.h"
#include "door.h"
#include "move.h"
#include "probe.h"
#include "script.h"
#include "system_limits.h"

namespace splicelist {
namespace {

using Napi::CallbackInfo;
using Napi::Value;

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

}  // namespace

void ExportProbes(const Napi::Object& exports, Environment* environment) {
  Export<OpenMemoryFile>(exports, "memoryFile", environment);
  Export<OpenSocketPair>(exports, "socketPair", environment);
  Export<ReadCachedBytes>(exports, "readCached", environment);
  Export<Limits>(exports, "limits", environment);
  Export<Live>(exports, "live", environment);
  Export<Script>(exports, "script", environment);
  Export<ScriptedCalls>(exports, "scriptedCalls", environment);
}

}  // namespace splicelist
