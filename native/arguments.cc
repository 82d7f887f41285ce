#include "arguments.h"

#include <cerrno>
#include <cmath>

#include "move.h"

namespace splicelist {
namespace {

/// Whether the memory under an empty view is gone, as opposed to the view being empty.
bool IsDetached(napi_env env, napi_value view) {
  napi_value memory = nullptr;
  bool detached = false;
  napi_get_typedarray_info(env, view, nullptr, nullptr, nullptr, &memory, nullptr);
  return napi_is_detached_arraybuffer(env, memory, &detached) == napi_ok && detached;
}

}  // namespace

Arguments::Arguments(const Napi::CallbackInfo& info)
    : info_(info), environment_(static_cast<Environment*>(info.Data())) {
}

Napi::Value Arguments::Refusal() const {
  return thrown_ ? Napi::Value() : Napi::Number::New(env(), -EBADF);
}

int64_t Arguments::Whole(size_t index, const char* name, int64_t min, int64_t max) {
  double number = 0;
  if (napi_get_value_double(env(), info_[index], &number) != napi_ok) {
    ThrowType(name, "a number");
    return min;
  }
  const bool fits = number >= static_cast<double>(min) && number <= static_cast<double>(max);
  if (!fits || number != std::trunc(number)) {
    ThrowRange(std::string(name) + " must be a whole number from " + std::to_string(min) + " to " +
               std::to_string(max) + ".");
    return min;
  }
  return static_cast<int64_t>(number);
}

uint64_t Arguments::Length(size_t index, const char* name) {
  return static_cast<uint64_t>(Whole(index, name, 0, kWholeMax));
}

int64_t Arguments::Offset(size_t index, const char* name) {
  return Whole(index, name, kOwnPosition, kWholeMax);
}

uint64_t Arguments::Token(size_t index) {
  return static_cast<uint64_t>(Whole(index, "token", 0, kWholeMax));
}

uint32_t Arguments::Word(size_t index, const char* name) {
  int32_t word = 0;
  if (napi_get_value_int32(env(), info_[index], &word) != napi_ok) ThrowType(name, "a number");
  return static_cast<uint32_t>(word);
}

bool Arguments::Flag(size_t index, const char* name) {
  bool flag = false;
  if (napi_get_value_bool(env(), info_[index], &flag) != napi_ok) ThrowType(name, "a boolean");
  return flag;
}

bool Arguments::Choice(size_t index, const char* name, const char* yes, const char* no) {
  const Napi::Value value = info_[index];
  const std::string word = value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
  if (word != yes && word != no) {
    ThrowType(name, ("'" + std::string(yes) + "' or '" + no + "'").c_str());
  }
  return word == yes;
}

Handle* Arguments::AnyHandle(size_t index, const char* name) {
  Handle* const handle = Handle::Unwrap(env(), *environment_, info_[index]);
  if (handle == nullptr) ThrowType(name, "a Descriptor, a Pipe or a Slab");
  return handle;
}

/// The resource at `index`; null when there is none, or when it was dropped, which is noted.
Resource* Arguments::ResourceOf(napi_value value) {
  if (thrown_) return nullptr;  // Node-API does little while an exception is pending
  const Handle* const handle = Handle::Unwrap(env(), *environment_, value);
  if (handle == nullptr) return nullptr;
  if (handle->resource() == nullptr) dropped_ = true;
  return handle->resource();
}

Descriptor* Arguments::DescriptorAt(size_t index, const char* name) {
  Resource* const resource = ResourceAt(index);
  if (resource != nullptr && resource->kind() == Resource::Kind::kDescriptor) {
    return static_cast<Descriptor*>(resource);
  }
  if (!dropped_) ThrowType(name, "a Descriptor");
  return nullptr;
}

std::vector<Descriptor*> Arguments::DescriptorsAt(size_t index, const char* name) {
  return ArrayOf<Descriptor>(index, Resource::Kind::kDescriptor, name, "an array of Descriptors");
}

std::vector<Pipe*> Arguments::PipesAt(size_t index, const char* name) {
  return ArrayOf<Pipe>(index, Resource::Kind::kPipe, name, "an array of Pipes");
}

Pipe* Arguments::PipeAt(size_t index, const char* name) {
  Resource* const resource = ResourceAt(index);
  if (resource != nullptr && resource->kind() == Resource::Kind::kPipe) {
    return static_cast<Pipe*>(resource);
  }
  if (!dropped_) ThrowType(name, "a Pipe");
  return nullptr;
}

Slab* Arguments::SlabAt(size_t index, const char* name) {
  Resource* const resource = ResourceAt(index);
  if (resource != nullptr && resource->kind() == Resource::Kind::kSlab) {
    return static_cast<Slab*>(resource);
  }
  if (!dropped_) ThrowType(name, "a Slab");
  return nullptr;
}

Endpoint* Arguments::EndpointAt(size_t index, const char* name) {
  Resource* const resource = ResourceAt(index);
  if (resource != nullptr && resource->kind() != Resource::Kind::kSlab) {
    return static_cast<Endpoint*>(resource);
  }
  if (!dropped_) ThrowType(name, "a Descriptor or a Pipe");
  return nullptr;
}

napi_value Arguments::Element(napi_value array, uint32_t index) const {
  napi_value element = nullptr;
  if (napi_get_element(env(), array, index, &element) == napi_ok) return element;
  napi_value thrown = nullptr;  // by a getter: what it should be is said in its place
  napi_get_and_clear_last_exception(env(), &thrown);
  return nullptr;
}

std::vector<Endpoint*> Arguments::EndpointsAt(size_t index, const char* name, size_t count) {
  uint32_t pipes = 0;
  if (thrown_) return {};
  if (napi_get_array_length(env(), info_[index], &pipes) != napi_ok) {
    std::vector<Endpoint*> repeated(count, DescriptorAt(index, name));
    return repeated;
  }
  std::vector<Endpoint*> found;
  if (!EachResource(index, pipes, Resource::Kind::kPipe, name, "a Descriptor or an array of Pipes",
                    [&](Resource* each) { found.push_back(static_cast<Pipe*>(each)); })) {
    return {};
  }
  if (found.size() != count) ThrowRange(std::string(name) + " needs a Pipe for each length.");
  return found;
}

std::vector<uint64_t> Arguments::Lengths(size_t index, const char* name) {
  uint32_t count = 0;
  if (thrown_) return {};
  if (napi_get_array_length(env(), info_[index], &count) != napi_ok) {
    ThrowType(name, "an array of numbers of bytes");
    return {};
  }
  std::vector<uint64_t> lengths;
  for (uint32_t i = 0; i < count; ++i) {
    double number = -1;
    napi_get_value_double(env(), Element(info_[index], i), &number);
    const bool fits = number >= 0 && number <= static_cast<double>(kWholeMax);
    if (!fits || number != std::trunc(number)) {
      ThrowType(name, "an array of numbers of bytes");
      return {};
    }
    lengths.push_back(static_cast<uint64_t>(number));
  }
  return lengths;
}

double* Arguments::Results(size_t index, const char* name, size_t count) {
  napi_typedarray_type type = napi_int8_array;
  void* numbers = nullptr;
  size_t length = 0;
  if (thrown_) return nullptr;
  const napi_status status =
      napi_get_typedarray_info(env(), info_[index], &type, &length, &numbers, nullptr, nullptr);
  if (status != napi_ok || type != napi_float64_array) {
    ThrowType(name, "a Float64Array");
    return nullptr;
  }
  if (length >= count) return static_cast<double*>(numbers);
  ThrowRange(std::string(name) + " needs " + std::to_string(count) + " numbers, and has " +
             std::to_string(length) + ".");
  return nullptr;
}

Bytes Arguments::View(size_t index, const char* name) {
  Bytes bytes;
  ReadView(info_[index], name, &bytes);
  return bytes;
}

bool Arguments::ReadView(napi_value value, const char* name, Bytes* bytes) {
  napi_typedarray_type type = napi_int8_array;
  void* data = nullptr;
  size_t length = 0;
  const napi_status status =
      napi_get_typedarray_info(env(), value, &type, &length, &data, nullptr, nullptr);
  if (status != napi_ok || type != napi_uint8_array) {
    ThrowType(name, "a Uint8Array");
    return false;
  }
  *bytes = {static_cast<uint8_t*>(data), length};
  if (length > 0 || !IsDetached(env(), value)) return true;
  ThrowType(name, "attached: its memory was given away");
  return false;
}

Bytes Arguments::Window(size_t index) {
  const Bytes view = View(index, "target");
  const uint64_t offset = Length(index + 1, "targetOffset");
  const uint64_t length = Length(index + 2, "lengthBytes");
  if (thrown_) return {};
  if (offset > view.length || length > view.length - offset) {
    ThrowRange("targetOffset and lengthBytes reach beyond the end of target, which has " +
               std::to_string(view.length) + " bytes.");
    return {};
  }
  return {view.data + offset, static_cast<size_t>(length)};
}

void Arguments::ThrowType(const char* name, const char* what) {
  if (thrown_) return;
  thrown_ = true;
  Napi::TypeError::New(env(), std::string(name) + " must be " + what + ".")
      .ThrowAsJavaScriptException();
}

void Arguments::ThrowRange(const std::string& message) {
  if (thrown_) return;
  thrown_ = true;
  Napi::RangeError::New(env(), message).ThrowAsJavaScriptException();
}

}  // namespace splicelist
