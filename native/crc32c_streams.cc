#include <algorithm>
#include <array>
#include <cstring>

#include "crc32c_forms.h"
#include "crc32c_polynomial.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define SPLICELIST_STREAMS __attribute__((target("sse4.2,pclmul")))
#elif defined(__aarch64__) && !defined(__clang__)
// Clang knows these instructions by name only in files that need them as a whole.
#include <arm_acle.h>
#include <arm_neon.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>
#define SPLICELIST_STREAMS __attribute__((target("+crc+crypto")))
#endif

namespace splicelist {

#if defined(SPLICELIST_STREAMS)

namespace {

#if defined(__x86_64__)

/// A checksum on its way, as wide as the instruction has it: cutting it down costs a cycle a step.
using Running = uint64_t;

/// The checksum `crc` after eight more bytes.
SPLICELIST_STREAMS inline Running Step(Running crc, uint64_t bytes) {
  return _mm_crc32_u64(crc, bytes);
}

SPLICELIST_STREAMS inline Running Step(Running crc, uint32_t bytes) {
  return _mm_crc32_u32(static_cast<uint32_t>(crc), bytes);
}

SPLICELIST_STREAMS inline Running Step(Running crc, uint16_t bytes) {
  return _mm_crc32_u16(static_cast<uint32_t>(crc), bytes);
}

SPLICELIST_STREAMS inline Running Step(Running crc, uint8_t byte) {
  return _mm_crc32_u8(static_cast<uint32_t>(crc), byte);
}

/// The product of two polynomials, not reduced, times x: it stands one bit low in its word.
SPLICELIST_STREAMS inline uint64_t Product(Running a, uint32_t b) {
  const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<int64_t>(a)),
                                               _mm_cvtsi64_si128(int64_t{b}), 0);
  return static_cast<uint64_t>(_mm_cvtsi128_si64(product));
}

#else

using Running = uint32_t;

SPLICELIST_STREAMS inline Running Step(Running crc, uint64_t bytes) {
  return __crc32cd(crc, bytes);
}

SPLICELIST_STREAMS inline Running Step(Running crc, uint32_t bytes) {
  return __crc32cw(crc, bytes);
}

SPLICELIST_STREAMS inline Running Step(Running crc, uint16_t bytes) {
  return __crc32ch(crc, bytes);
}

SPLICELIST_STREAMS inline Running Step(Running crc, uint8_t byte) {
  return __crc32cb(crc, byte);
}

SPLICELIST_STREAMS inline uint64_t Product(Running a, uint32_t b) {
  return static_cast<uint64_t>(vmull_p64(a, b));
}

#endif

constexpr size_t kWordBytes = 8;
/// Words of one stream. Twice as many would gain 4 % in the caches.
constexpr size_t kStreamWordsMax = 128;
/// How far ahead memory is asked for, in bytes. What is read at three places at once is no pattern
/// that the processor foresees: without asking, 64 MiB came at 7 GB/s instead of 24.
constexpr size_t kAhead = 4096;
/// Below this joining the streams costs more than they save.
constexpr size_t kStreamWordsMin = 4;

/// `[n]` multiplied with a checksum appends n zero words to it, once Step has reduced the product.
/// Product makes x^1 too much and Step x^32, hence the 33.
constexpr std::array<uint32_t, 2 * kStreamWordsMax + 1> MakeZeroWords() {
  std::array<uint32_t, 2 * kStreamWordsMax + 1> factors{};
  for (size_t words = 1; words < factors.size(); ++words)
    factors[words] = PowerOfX(64 * words - 33);
  return factors;
}

constexpr auto kZeroWords = MakeZeroWords();

template <typename Word>
Word Load(const uint8_t* bytes) {
  Word word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

/// The checksum after three streams of `words` words that follow one another. The instruction takes
/// three cycles but can start every cycle, so three are as fast as one. As many bytes from `wanted`
/// on are asked for meanwhile.
SPLICELIST_STREAMS Running ThreeStreams(Running crc, const uint8_t* bytes, size_t words,
                                        const uint8_t* wanted) {
  const size_t stream = words * kWordBytes;
  Running first = crc;
  Running second = 0;
  Running third = 0;
  for (size_t i = 0; i < stream; i += kWordBytes) {
    __builtin_prefetch(wanted + 3 * i);
    first = Step(first, Load<uint64_t>(bytes + i));
    second = Step(second, Load<uint64_t>(bytes + i + stream));
    third = Step(third, Load<uint64_t>(bytes + i + 2 * stream));
  }
  const uint64_t moved = Product(first, kZeroWords[2 * words]) ^ Product(second, kZeroWords[words]);
  return Step(Running{0}, moved) ^ third;
}

SPLICELIST_STREAMS Running OneStream(Running crc, const uint8_t* bytes, size_t length) {
  for (; length >= kWordBytes; bytes += kWordBytes, length -= kWordBytes) {
    crc = Step(crc, Load<uint64_t>(bytes));
  }
  if ((length & 4) != 0) {
    crc = Step(crc, Load<uint32_t>(bytes));
    bytes += 4;
  }
  if ((length & 2) != 0) {
    crc = Step(crc, Load<uint16_t>(bytes));
    bytes += 2;
  }
  return (length & 1) != 0 ? Step(crc, *bytes) : crc;
}

}  // namespace

SPLICELIST_STREAMS uint32_t Crc32cStreams(uint32_t seed, const uint8_t* bytes, size_t length) {
  Running crc = seed;
  while (length >= 3 * kStreamWordsMin * kWordBytes) {
    const size_t words = std::min(length / (3 * kWordBytes), kStreamWordsMax);
    const size_t taken = 3 * words * kWordBytes;
    // Not beyond the end: that would be another's memory, read for nothing.
    crc = ThreeStreams(crc, bytes, words, length >= taken + kAhead ? bytes + kAhead : bytes);
    bytes += taken;
    length -= taken;
  }
  return static_cast<uint32_t>(OneStream(crc, bytes, length));
}

#else

uint32_t Crc32cStreams(uint32_t seed, const uint8_t* bytes, size_t length) {
  return Crc32cPortable(seed, bytes, length);
}

#endif

bool HasCrc32cStreams() {
#if defined(__x86_64__)
  const bool has_crc = __builtin_cpu_supports("sse4.2");
  const bool has_product = __builtin_cpu_supports("pclmul");
  return has_crc && has_product;
#elif defined(SPLICELIST_STREAMS)
  constexpr uint64_t kNeeded = HWCAP_CRC32 | HWCAP_PMULL;
  return (getauxval(AT_HWCAP) & kNeeded) == kNeeded;
#else
  return false;
#endif
}

}  // namespace splicelist
