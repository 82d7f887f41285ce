#ifndef SPLICELIST_NATIVE_CRC32C_POLYNOMIAL_H_
#define SPLICELIST_NATIVE_CRC32C_POLYNOMIAL_H_

#include <cstdint>

/// Arithmetic modulo the Castagnoli polynomial, at compile time: where the constants come from.
///
/// A polynomial of degree below 32 is a word with its bits reflected, as CRC-32C has them: the
/// highest bit is the coefficient of x^0, the lowest that of x^31.

namespace splicelist {

/// The Castagnoli polynomial without its x^32.
constexpr uint32_t kCastagnoli = 0x82F63B78;
/// The polynomial 1.
constexpr uint32_t kOne = 0x80000000;

/// `value`·x.
constexpr uint32_t TimesX(uint32_t value) {
  return (value >> 1) ^ ((value & 1) != 0 ? kCastagnoli : 0);
}

/// `a`·`b`.
constexpr uint32_t Times(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (; a != 0; a <<= 1) {
    if ((a & kOne) != 0) product ^= b;
    b = TimesX(b);
  }
  return product;
}

/// x^`exponent`. The checksum of a message with n zero bytes appended is its own, times x^(8n).
constexpr uint32_t PowerOfX(uint64_t exponent) {
  uint32_t power = kOne;
  for (uint32_t square = TimesX(kOne); exponent != 0; exponent >>= 1) {
    if ((exponent & 1) != 0) power = Times(power, square);
    square = Times(square, square);
  }
  return power;
}

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_CRC32C_POLYNOMIAL_H_
