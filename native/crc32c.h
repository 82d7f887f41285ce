#ifndef SPLICELIST_NATIVE_CRC32C_H_
#define SPLICELIST_NATIVE_CRC32C_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace splicelist {

/// CRC-32C (Castagnoli, reflected) of `length` bytes, continuing from `seed`; no inversion before
/// or after, which is Ceph's convention (`ceph_crc32c`). The usual checksum is `~Crc32c(~0, …)`.
///
/// Runs the first of Crc32cForms(). Bytes that are not in the processor's caches cost what reading
/// them costs; for others the forms differ, and say by how much.
uint32_t Crc32c(uint32_t seed, const uint8_t* bytes, size_t length);

/// One way to compute it. All give the same results for all arguments.
struct Crc32cForm {
  /// How tests call it.
  const char* name;
  /// The same arguments as Crc32c.
  uint32_t (*run)(uint32_t seed, const uint8_t* bytes, size_t length);
};

/// The forms that this processor can run, the fastest first and the portable one last. Found out at
/// the first call: one build runs on old and on new machines.
const std::vector<Crc32cForm>& Crc32cForms();

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_CRC32C_H_
