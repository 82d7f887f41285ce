#include "handle.h"

#include <utility>

#include "environment.h"

namespace splicelist {
namespace {

constexpr napi_type_tag kTag = {0x5b1f6a0c93d24e71, 0x9c40d7e8a2b6135f};

}  // namespace

Handle::Handle(const std::shared_ptr<Environment>& environment, std::shared_ptr<Resource> resource)
    : environment_(environment), resource_(std::move(resource)) {
  environment->Add(this);
}

Handle::~Handle() {
  // Without an environment nothing else knows of it.
  if (const auto environment = environment_.lock()) environment->Collected(this);
}

napi_value Handle::Wrap(napi_env env, const std::shared_ptr<Environment>& environment,
                        std::shared_ptr<Resource> resource) {
  napi_value object = nullptr;
  if (napi_create_object(env, &object) != napi_ok) return nullptr;
  auto* const handle = new Handle(environment, std::move(resource));
  if (napi_wrap(env, object, handle, Finalize, nullptr, nullptr) != napi_ok) {
    delete handle;
    return nullptr;
  }
  // Without a tag it cannot be used, and the collector takes it.
  if (napi_type_tag_object(env, object, &kTag) != napi_ok) return nullptr;
  return object;
}

Handle* Handle::Unwrap(napi_env env, napi_value value) {
  bool tagged = false;
  if (napi_check_object_type_tag(env, value, &kTag, &tagged) != napi_ok) {
    napi_value thrown = nullptr;  // for undefined and null, which are no objects
    napi_get_and_clear_last_exception(env, &thrown);
  }
  if (!tagged) return nullptr;
  void* handle = nullptr;
  return napi_unwrap(env, value, &handle) == napi_ok ? static_cast<Handle*>(handle) : nullptr;
}

void Handle::Finalize(napi_env /*env*/, void* handle, void* /*hint*/) {
  delete static_cast<Handle*>(handle);
}

}  // namespace splicelist
