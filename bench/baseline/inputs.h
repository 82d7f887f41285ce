// What the cases work on: the same bytes and offsets as bench/list/inputs.ts makes.
#pragma once

#include <rados/buffer.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace baseline {

using List = ceph::buffer::list;
using Ptr = ceph::buffer::ptr;

constexpr size_t kGapBytes = 64;
constexpr size_t kArenaBytesMax = size_t{72} * 1024 * 1024;
constexpr size_t kOffsetsCount = 1 << 16;
constexpr uint32_t kSeedOfAll = 0x9e3779b9;
constexpr size_t kSmokeSizeMax = 64;

// Whether sizes are small: see bench/harness/case.ts.
inline bool is_smoke = false;

inline size_t Scale(size_t full) {
  return is_smoke ? std::min(full, kSmokeSizeMax) : full;
}

class Random {
 public:
  uint32_t next() {
    x_ ^= x_ << 13;
    x_ ^= x_ >> 17;
    x_ ^= x_ << 5;
    return x_;
  }

 private:
  uint32_t x_ = kSeedOfAll;
};

inline std::vector<Ptr> Segments(size_t count, size_t length_bytes) {
  const size_t stride = length_bytes + kGapBytes;
  const size_t places = std::max<size_t>(1, std::min(count, kArenaBytesMax / stride));
  std::vector<uint32_t> words((places * stride + 3) / 4);
  Random random;
  for (auto& word : words) word = random.next();
  const char* arena = reinterpret_cast<const char*>(words.data());
  std::vector<Ptr> parts;
  parts.reserve(count);
  for (size_t i = 0; i < count; i++) {
    // A raw of its own, as whoever reads 4 KiB from a socket makes one.
    parts.emplace_back(ceph::buffer::create(length_bytes));
    std::memcpy(parts.back().c_str(), arena + i % places * stride, length_bytes);
  }
  return parts;
}

class Offsets {
 public:
  explicit Offsets(uint32_t end) : offsets_(kOffsetsCount) {
    Random random;
    for (auto& offset : offsets_) offset = random.next() % end;
  }
  uint32_t next() { return offsets_[i_++ & (kOffsetsCount - 1)]; }

 private:
  std::vector<uint32_t> offsets_;
  size_t i_ = 0;
};

inline List ListOf(const std::vector<Ptr>& parts) {
  List list;
  for (const Ptr& part : parts) list.append(part);
  return list;
}

}  // namespace baseline
