#include "crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

namespace splicelist {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;  // reflected

constexpr uint32_t TimesX(uint32_t value) {
  return (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0);
}

/// Tables for slicing by eight: `[k][b]` is the checksum of byte b with k zero bytes after it.
constexpr std::array<std::array<uint32_t, 256>, 8> MakeTables() {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = TimesX(value);
    tables[0][byte] = value;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

constexpr auto kTables = MakeTables();

uint64_t Load64(const uint8_t* bytes) {
  uint64_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

uint32_t SoftwareByte(uint32_t crc, uint8_t byte) {
  return (crc >> 8) ^ kTables[0][(crc ^ byte) & 0xff];
}

uint32_t SoftwareWord(uint32_t crc, const uint8_t* bytes) {
  uint32_t result = 0;
  for (size_t i = 0; i < 8; ++i) {
    const uint32_t mixed = bytes[i] ^ (i < 4 ? (crc >> (8 * i)) & 0xff : 0);
    result ^= kTables[7 - i][mixed];
  }
  return result;
}

#if defined(__x86_64__)

#define SPLICELIST_SSE42 __attribute__((target("sse4.2,pclmul")))

/// Bytes of each of the three streams of a stride. The instruction takes three cycles but can start
/// every cycle, so three independent streams are three times as fast as one.
constexpr size_t kLongStream = 4096;
constexpr size_t kShortStream = 256;

/// x^(8·bytes − 33) mod P, reflected: multiplied with a checksum and reduced by the crc32
/// instruction, it appends `bytes` zero bytes. (The product of two reflected 32-bit polynomials
/// stands one bit low, and the instruction multiplies by x^32: hence 33.)
constexpr uint32_t ShiftFactor(size_t bytes) {
  uint32_t value = 0x80000000;  // x^0
  for (size_t bit = 0; bit < 8 * bytes - 33; ++bit) value = TimesX(value);
  return value;
}

/// The checksum `crc` after `bytes` zero bytes, where `factor` is ShiftFactor(bytes).
SPLICELIST_SSE42 inline uint32_t Shift(uint32_t crc, uint32_t factor) {
  const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi32_si128(static_cast<int>(crc)),
                                               _mm_cvtsi32_si128(static_cast<int>(factor)), 0);
  return static_cast<uint32_t>(_mm_crc32_u64(0, static_cast<uint64_t>(_mm_cvtsi128_si64(product))));
}

/// Takes as many strides of three streams of `kStream` bytes as there are.
template <size_t kStream>
SPLICELIST_SSE42 uint32_t Strides(uint32_t crc, const uint8_t** bytes, size_t* length) {
  constexpr uint32_t kFactor = ShiftFactor(kStream);
  const uint8_t* from = *bytes;
  while (*length >= 3 * kStream) {
    uint64_t first = crc;
    uint64_t second = 0;
    uint64_t third = 0;
    for (const uint8_t* const end = from + kStream; from < end; from += 8) {
      first = _mm_crc32_u64(first, Load64(from));
      second = _mm_crc32_u64(second, Load64(from + kStream));
      third = _mm_crc32_u64(third, Load64(from + 2 * kStream));
    }
    crc = Shift(static_cast<uint32_t>(first), kFactor) ^ static_cast<uint32_t>(second);
    crc = Shift(crc, kFactor) ^ static_cast<uint32_t>(third);
    from += 2 * kStream;
    *length -= 3 * kStream;
  }
  *bytes = from;
  return crc;
}

SPLICELIST_SSE42 uint32_t Hardware(uint32_t crc, const uint8_t* bytes, size_t length) {
  crc = Strides<kLongStream>(crc, &bytes, &length);
  crc = Strides<kShortStream>(crc, &bytes, &length);
  uint64_t wide = crc;
  for (; length >= 8; bytes += 8, length -= 8) wide = _mm_crc32_u64(wide, Load64(bytes));
  crc = static_cast<uint32_t>(wide);
  for (; length > 0; ++bytes, --length) crc = _mm_crc32_u8(crc, *bytes);
  return crc;
}

bool HasHardware() {
  const bool has_crc = __builtin_cpu_supports("sse4.2");
  const bool has_product = __builtin_cpu_supports("pclmul");
  return has_crc && has_product;
}

#elif defined(__ARM_FEATURE_CRC32)

uint32_t Hardware(uint32_t crc, const uint8_t* bytes, size_t length) {
  for (; length >= 8; bytes += 8, length -= 8) crc = __crc32cd(crc, Load64(bytes));
  for (; length > 0; ++bytes, --length) crc = __crc32cb(crc, *bytes);
  return crc;
}

bool HasHardware() {
  return true;
}

#else

constexpr auto Hardware = Crc32cSoftware;

bool HasHardware() {
  return false;
}

#endif

}  // namespace

uint32_t Crc32cSoftware(uint32_t seed, const uint8_t* bytes, size_t length) {
  uint32_t crc = seed;
  for (; length >= 8; bytes += 8, length -= 8) crc = SoftwareWord(crc, bytes);
  for (; length > 0; ++bytes, --length) crc = SoftwareByte(crc, *bytes);
  return crc;
}

uint32_t Crc32c(uint32_t seed, const uint8_t* bytes, size_t length) {
  static const bool has_hardware = HasHardware();
  return has_hardware ? Hardware(seed, bytes, length) : Crc32cSoftware(seed, bytes, length);
}

}  // namespace splicelist
