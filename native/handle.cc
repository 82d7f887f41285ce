#include "handle.h"

#include <utility>

#include "environment.h"

namespace splicelist {

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
  auto* const handle = new Handle(environment, std::move(resource));
  napi_value object = nullptr;
  if (napi_create_external(env, handle, Finalize, nullptr, &object) == napi_ok) return object;
  delete handle;
  return nullptr;
}

Handle* Handle::Unwrap(napi_env env, const Environment& environment, napi_value value) {
  void* address = nullptr;
  if (napi_get_value_external(env, value, &address) != napi_ok) return nullptr;
  auto* const handle = static_cast<Handle*>(address);  // perhaps
  return environment.Knows(handle) ? handle : nullptr;
}

void Handle::Finalize(napi_env /*env*/, void* handle, void* /*hint*/) {
  delete static_cast<Handle*>(handle);
}

}  // namespace splicelist
