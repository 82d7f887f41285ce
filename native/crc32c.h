#ifndef SPLICELIST_NATIVE_CRC32C_H_
#define SPLICELIST_NATIVE_CRC32C_H_

#include <cstddef>
#include <cstdint>

namespace splicelist {

/// CRC-32C (Castagnoli, reflected) of `length` bytes, continuing from `seed`; no inversion before
/// or after, which is Ceph's convention. The usual checksum is `~Crc32c(~0, …)`.
///
/// Uses the processor's instruction where there is one, found out at the first call: eight bytes a
/// cycle for more than a few hundred bytes, three of them a cycle below; about one in software.
uint32_t Crc32c(uint32_t seed, const uint8_t* bytes, size_t length);

/// The same in plain software, by tables: what the other is checked against.
uint32_t Crc32cSoftware(uint32_t seed, const uint8_t* bytes, size_t length);

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_CRC32C_H_
