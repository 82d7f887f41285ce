// What the bytes of a stream are: told from their position, so that whoever drains it can compare
// each with what it has to be.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

namespace baseline {

class Pattern {
 public:
  // No stretch at all of one read or write is longer.
  static constexpr size_t kChunkBytes = size_t{1} << 20;

  Pattern() : bytes_(kPeriod + kChunkBytes) {
    std::mt19937_64 random(20140508);
    for (size_t at = 0; at < kPeriod; at += sizeof(uint64_t)) {
      const uint64_t word = random();
      std::memcpy(&bytes_[at], &word, std::min(sizeof(word), kPeriod - at));
    }
    std::memcpy(&bytes_[kPeriod], bytes_.data(), kChunkBytes);
  }
  // The bytes of a stream from a position on: kChunkBytes of them.
  const char* at(uint64_t position) const { return &bytes_[position % kPeriod]; }

  bool matches(uint64_t position, const char* bytes, size_t count) const {
    return std::memcmp(at(position), bytes, count) == 0;
  }

 private:
  // No size of a page, a message or a pipe divides it: bytes out of place are wrong bytes.
  static constexpr size_t kPeriod = kChunkBytes + 4099;
  std::vector<char> bytes_;
};

// Where in the pattern a stream begins, so that no two streams, and no two passes, are alike.
inline uint64_t StreamBegin(uint64_t pass, uint64_t connection) {
  return pass * 7919 + connection * 104729;
}

}  // namespace baseline
