#include <array>

#include "crc32c_forms.h"
#include "crc32c_polynomial.h"

namespace splicelist {
namespace {

/// Bytes of one step, and so the number of tables.
constexpr size_t kSlices = 16;

/// `[k][b]` is the checksum of byte b with k zero bytes after it.
constexpr std::array<std::array<uint32_t, 256>, kSlices> MakeTables() {
  std::array<std::array<uint32_t, 256>, kSlices> tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = TimesX(value);
    tables[0][byte] = value;
  }
  for (size_t k = 1; k < kSlices; ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

constexpr auto kTables = MakeTables();

/// Four bytes, the first one lowest, whatever the processor's own order; compilers see one load.
uint32_t Load32(const uint8_t* bytes) {
  return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | static_cast<uint32_t>(bytes[3]) << 24;
}

/// The checksum of four bytes with `kZeros` zero bytes after them.
template <size_t kZeros>
uint32_t OfWord(uint32_t word) {
  return kTables[kZeros + 3][word & 0xff] ^ kTables[kZeros + 2][word >> 8 & 0xff] ^
         kTables[kZeros + 1][word >> 16 & 0xff] ^ kTables[kZeros][word >> 24];
}

}  // namespace

uint32_t Crc32cPortable(uint32_t seed, const uint8_t* bytes, size_t length) {
  uint32_t crc = seed;
  for (; length >= kSlices; bytes += kSlices, length -= kSlices) {
    crc = OfWord<12>(Load32(bytes) ^ crc) ^ OfWord<8>(Load32(bytes + 4)) ^
          OfWord<4>(Load32(bytes + 8)) ^ OfWord<0>(Load32(bytes + 12));
  }
  for (; length > 0; ++bytes, --length) crc = (crc >> 8) ^ kTables[0][(crc ^ *bytes) & 0xff];
  return crc;
}

}  // namespace splicelist
