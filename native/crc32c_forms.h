#ifndef SPLICELIST_NATIVE_CRC32C_FORMS_H_
#define SPLICELIST_NATIVE_CRC32C_FORMS_H_

#include <cstddef>
#include <cstdint>

/// The forms that Crc32c chooses from, each in a file of its own. GB/s are of one 3.4 GHz Zen 4
/// core.
///
/// A form that needs instructions asks the compiler for them function by function, never for a
/// whole file: what the linker shares between files must run everywhere.

namespace splicelist {

/// By sixteen tables, sixteen bytes a step: 3.4 GB/s, on every processor.
uint32_t Crc32cPortable(uint32_t seed, const uint8_t* bytes, size_t length);

/// By the processor's own instruction, in three streams at once: 28 GB/s in the caches. x86-64 with
/// SSE4.2 and PCLMULQDQ, ARMv8 with the CRC32 and PMULL extensions.
uint32_t Crc32cStreams(uint32_t seed, const uint8_t* bytes, size_t length);
/// Whether it runs here.
bool HasCrc32cStreams();

/// By multiplying four 64-byte registers at once: 58 GB/s in the caches. x86-64 with AVX-512 and
/// VPCLMULQDQ.
uint32_t Crc32cFold(uint32_t seed, const uint8_t* bytes, size_t length);
/// Whether it runs here.
bool HasCrc32cFold();

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_CRC32C_FORMS_H_
