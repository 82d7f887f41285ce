#include "crc32c.h"

#include "crc32c_forms.h"

namespace splicelist {
namespace {

std::vector<Crc32cForm> SupportedForms() {
  std::vector<Crc32cForm> forms;
  if (HasCrc32cFold()) forms.push_back({"fold", Crc32cFold});
  if (HasCrc32cStreams()) forms.push_back({"streams", Crc32cStreams});
  forms.push_back({"portable", Crc32cPortable});
  return forms;
}

}  // namespace

const std::vector<Crc32cForm>& Crc32cForms() {
  // Never destroyed: a thread may still ask when the process exits.
  static const auto* const forms = new std::vector<Crc32cForm>(SupportedForms());
  return *forms;
}

uint32_t Crc32c(uint32_t seed, const uint8_t* bytes, size_t length) {
  static const auto run = Crc32cForms().front().run;
  return run(seed, bytes, length);
}

}  // namespace splicelist
