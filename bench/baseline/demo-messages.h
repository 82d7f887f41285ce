// The messages of bench/demo/: the header of bench/demo/frame.ts, and the order of
// bench/demo/plan.ts. The C programs put the same bytes on the wire as the demo's own.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

namespace baseline {

constexpr size_t kHeaderBytes = 32;
constexpr size_t kCrcAt = 28;
constexpr uint32_t kMagic = 0x494c5053;

enum class Kind : uint32_t { kData = 1, kEnd = 2, kAcknowledgement = 3 };

struct Frame {
  Kind kind;
  uint64_t sequence;
  uint32_t length_bytes;
  uint64_t offset_bytes;
};

using Header = std::array<unsigned char, kHeaderBytes>;

// A byte at a time: it is done for 28 bytes of every message.
inline uint32_t Crc32c(const unsigned char* bytes, size_t count) {
  static const auto table = [] {
    std::array<uint32_t, 256> made{};
    for (uint32_t i = 0; i < made.size(); i++) {
      made[i] = i;
      for (int bit = 0; bit < 8; bit++) made[i] = made[i] >> 1 ^ (made[i] & 1 ? 0x82f63b78 : 0);
    }
    return made;
  }();
  uint32_t crc = 0xffffffff;
  for (size_t i = 0; i < count; i++) crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 0xff];
  return crc;
}

template <class T>
void Put(Header& header, size_t at, T value) {
  std::memcpy(&header[at], &value, sizeof(value));
}

template <class T>
T Get(const Header& header, size_t at) {
  T value;
  std::memcpy(&value, &header[at], sizeof(value));
  return value;
}

inline Header Encoded(const Frame& frame) {
  Header header{};
  Put(header, 0, kMagic);
  Put(header, 4, frame.kind);
  Put(header, 8, frame.sequence);
  Put(header, 16, frame.length_bytes);
  Put(header, 20, frame.offset_bytes);
  Put(header, kCrcAt, Crc32c(header.data(), kCrcAt));
  return header;
}

inline Frame Decoded(const Header& header) {
  if (Get<uint32_t>(header, 0) != kMagic) throw std::runtime_error("not a header: wrong magic");
  if (Get<uint32_t>(header, kCrcAt) != Crc32c(header.data(), kCrcAt))
    throw std::runtime_error("a header with a wrong crc");
  return {Get<Kind>(header, 4), Get<uint64_t>(header, 8), Get<uint32_t>(header, 16),
          Get<uint64_t>(header, 20)};
}

struct Plan {
  static constexpr uint64_t kPeriod = 100;
  static constexpr uint64_t kLookedAt = 0;
  static constexpr uint64_t kAgainAtOnce = 1;
  static constexpr uint64_t kAgainLater = 51;
  static constexpr size_t kLookBytes = 64;

  uint64_t file_bytes;
  uint64_t payload_bytes;

  uint64_t payloads() const { return (file_bytes + payload_bytes - 1) / payload_bytes; }
  Frame payload(uint64_t sequence) const {
    const uint64_t offset = sequence * payload_bytes;
    const uint64_t length = std::min(payload_bytes, file_bytes - offset);
    return {Kind::kData, sequence, static_cast<uint32_t>(length), offset};
  }
  static bool IsLookedAt(uint64_t sequence) { return sequence % kPeriod == kLookedAt; }

  // Calls `send` with each message, in the order in which they go.
  template <class Send>
  void ForEach(Send&& send) const {
    for (uint64_t sequence = 0; sequence < payloads(); sequence++) {
      send(payload(sequence));
      const uint64_t place = sequence % kPeriod;
      const bool is_last = sequence + 1 == payloads();
      if (place == kAgainAtOnce || (place == kAgainLater && is_last)) send(payload(sequence));
      if (place == kAgainLater + 1) send(payload(sequence - 1));
    }
  }
};

}  // namespace baseline
