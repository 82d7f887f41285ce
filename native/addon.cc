/// The module's entry: one environment for each of Node's, and the table of calls that
/// lib/native.ts describes.

#include <napi.h>

#include <memory>

#include "door.h"
#include "environment.h"

namespace splicelist {
namespace {

void EndEnvironment(napi_env /*env*/, void* environment, void* /*hint*/) {
  delete static_cast<std::shared_ptr<Environment>*>(environment);
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  auto* const held = new std::shared_ptr<Environment>(std::make_shared<Environment>(env));
  napi_set_instance_data(env, held, EndEnvironment, nullptr);
  Environment* const environment = held->get();
  ExportPlaces(exports, environment);
  ExportMoves(exports, environment);
  ExportJobs(exports, environment);
  ExportMemory(exports, environment);
  ExportProbes(exports, environment);
  return exports;
}

NODE_API_MODULE(splicelist, Init)

}  // namespace
}  // namespace splicelist
