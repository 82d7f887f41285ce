// The cases of bench/list/ over the real Ceph list, by its public header:
//
//     ceph-list --cases            the names of the cases that it can do
//     ceph-list CASE [--smoke]     one case, as one line of JSON: {"samples": […], "answer": n, …}
//
// A sample is nanoseconds (or bytes) for one operation. The answer is what the first repetition
// found; every library has to find the same. Inputs and offsets are those of bench/list/inputs.ts,
// and the clock is used as in bench/harness/measure.ts. It measures a library that it is linked to
// dynamically, and is no part of the package.

#include <malloc.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "inputs.h"
#include "measure.h"

namespace baseline {
namespace {

constexpr size_t kSegmentBytes = 4096;
constexpr size_t kSmallSegmentBytes = 64;
constexpr size_t kWindowBytes = size_t{64} * 1024;

Report Substr(size_t count) {
  const List list = ListOf(Segments(Scale(count), kSegmentBytes));
  Offsets offsets(list.length() - kWindowBytes);
  return Repeated([&] {
    List window;
    window.substr_of(list, offsets.next(), kWindowBytes);
    return window.length();
  });
}

Report ByteAtRandom(size_t count, size_t segment_bytes = kSegmentBytes) {
  const List list = ListOf(Segments(Scale(count), segment_bytes));
  Offsets offsets(list.length());
  return Repeated([&] { return static_cast<uint8_t>(list[offsets.next()]); });
}

// By an iterator: that is how Ceph reads one byte after the other.
Report ByteAtSequential() {
  const List list = ListOf(Segments(Scale(1024), kSegmentBytes));
  auto at = list.begin();
  return Repeated([&] {
    const auto byte = static_cast<uint8_t>(*at);
    ++at;
    if (at.end()) at = list.begin();
    return byte;
  });
}

template <class Add>
Report Growing(size_t operations, Add&& add) {
  return Repeated(
      [&] {
        List list;
        for (size_t i = 0; i < operations; i++) add(list, i);
        return list.length();
      },
      operations);
}

constexpr size_t kListBytes = size_t{1024} * 1024;

Report AppendCopied() {
  constexpr size_t kScrapBytes = 16;
  const Ptr scrap = Segments(1, kScrapBytes)[0];
  return Growing(Scale(kListBytes / kScrapBytes),
                 [&](List& list, size_t) { list.append(scrap.c_str(), kScrapBytes); });
}

Report AppendUint32() {
  return Growing(Scale(kListBytes / sizeof(uint32_t)), [](List& list, size_t i) {
    const auto value = static_cast<uint32_t>(i);
    list.append(reinterpret_cast<const char*>(&value), sizeof(value));
  });
}

Report AppendReference(size_t count) {
  const std::vector<Ptr> parts = Segments(Scale(count), kSegmentBytes);
  return Growing(parts.size(), [&](List& list, size_t i) { list.append(parts[i]); });
}

Report ClaimAppend() {
  // The end of what was claimed is not claimAppend's to pay for.
  struct Input {
    std::vector<List> lists;
    List all;
  };
  const std::vector<Ptr> parts = Segments(Scale(50'000), 64);
  return Consuming(
      parts.size(),
      [&] {
        Input input;
        input.lists.resize(parts.size());
        for (size_t i = 0; i < parts.size(); i++) input.lists[i].append(parts[i]);
        return input;
      },
      [](Input& input) {
        for (List& list : input.lists) input.all.claim_append(list);
        return input.all.length();
      });
}

Report Consume() {
  constexpr size_t kBytes = 16;
  const std::vector<Ptr> parts = Segments(Scale(200'000), kBytes);
  return Consuming(
      parts.size(), [&] { return ListOf(parts); },
      [&](List& list) {
        uint64_t sum = 0;
        for (size_t left = parts.size(); left > 0; left--) {
          list.splice(0, kBytes);
          sum += list.length();
        }
        return sum;
      });
}

// Ceph cannot insert, so the tail is cut off and claimed again.
Report Splice() {
  const std::vector<Ptr> parts = Segments(Scale(100'000), kSegmentBytes);
  const size_t cuts = Scale(100);
  return Consuming(
      cuts, [&] { return ListOf(parts); },
      [&](List& list) {
        Offsets offsets(list.length() - kWindowBytes);
        uint64_t sum = 0;
        for (size_t left = cuts; left > 0; left--) {
          List range;
          List tail;
          list.splice(offsets.next(), kWindowBytes, &range);
          const uint32_t to = offsets.next();
          if (to < list.length()) list.splice(to, list.length() - to, &tail);
          list.claim_append(range);
          list.claim_append(tail);
          sum += static_cast<uint8_t>(const_cast<const List&>(list)[offsets.next()]);
        }
        return sum;
      });
}

constexpr size_t kRangeBytes = size_t{1024} * 1024;
constexpr size_t kRangePieces = kRangeBytes / kSegmentBytes + 1;

std::vector<Ptr> Pieces() {
  return Segments(Scale(16'384), kSegmentBytes);
}

// Ceph's caches are with its raws, so they are emptied rather than made anew.
Report CrcCold(List list, size_t operations) {
  return Consuming(
      operations,
      [&] {
        list.invalidate_crc();
        return &list;
      },
      [](List* list) { return list->crc32c(0); });
}

Report CrcOnePiece() {
  List list = ListOf(Pieces());
  list.rebuild();
  return CrcCold(std::move(list), 1);
}

Report CrcPiecesCold() {
  const std::vector<Ptr> parts = Pieces();
  return CrcCold(ListOf(parts), parts.size());
}

Report CrcCached() {
  const std::vector<Ptr> parts = Pieces();
  const List list = ListOf(parts);
  list.crc32c(0);
  return Repeated([&] { return list.crc32c(0); }, parts.size());
}

Report CrcOtherSeed() {
  const std::vector<Ptr> parts = Pieces();
  const List list = ListOf(parts);
  list.crc32c(0);
  uint32_t seed = 0;
  return Repeated([&] { return list.crc32c(++seed); }, parts.size());
}

Report CrcRange() {
  const List list = ListOf(Pieces());
  list.crc32c(0);
  const size_t bytes = std::min<size_t>(kRangeBytes, list.length() / 2);
  Offsets offsets(list.length() - bytes);
  return Repeated(
      [&] {
        List range;
        range.substr_of(list, offsets.next(), bytes);
        return range.crc32c(0);
      },
      Scale(kRangePieces));
}

Report CrcRangeAlone() {
  const List list = ListOf(Pieces());
  list.crc32c(0);
  const size_t bytes = std::min<size_t>(kRangeBytes, list.length() / 2);
  Offsets offsets(list.length() - bytes);
  const size_t count = Scale(100);
  return Consuming(
      count * Scale(kRangePieces),
      [&] {
        std::vector<List> ranges(count);
        for (List& range : ranges) range.substr_of(list, offsets.next(), bytes);
        return ranges;
      },
      [](const std::vector<List>& ranges) {
        uint64_t sum = 0;
        for (const List& range : ranges) sum += range.crc32c(0);
        return sum;
      });
}

Report HeapPerSegment() {
  const std::vector<Ptr> parts = Segments(Scale(100'000), 64);
  Report report;
  report.answer = parts.size();
  const size_t before = mallinfo2().uordblks;
  const List list = ListOf(parts);
  const size_t held = mallinfo2().uordblks - before;
  report.samples.push_back(static_cast<double>(held) / static_cast<double>(parts.size()));
  sink = list.length();
  return report;
}

template <class T>
uint64_t Read(List::const_iterator& at) {
  T value;
  at.copy(sizeof(value), reinterpret_cast<char*>(&value));
  return value;
}

Report Cursor(size_t cut_bytes) {
  constexpr size_t kRounds = 6;
  constexpr size_t kHeaderBytes = kRounds * 7 + 8;
  const Ptr header = Segments(1, kHeaderBytes)[0];
  List list;
  for (size_t at = 0; at < kHeaderBytes; at += cut_bytes) {
    const size_t length = std::min(cut_bytes, kHeaderBytes - at);
    list.append(Ptr(header.c_str() + at, static_cast<unsigned>(length)));
  }
  return Repeated(
      [&] {
        auto at = list.cbegin();
        uint64_t sum = 0;
        // One after the other: the operands of a sum may be read in any order.
        for (size_t i = 0; i < kRounds; i++) {
          sum += Read<uint8_t>(at);
          sum += Read<uint16_t>(at);
          sum += Read<uint32_t>(at);
        }
        sum += Read<uint32_t>(at);
        sum += Read<uint32_t>(at);
        return sum;
      },
      3 * kRounds + 2);
}

Report Parser() {
  constexpr size_t kChunkBytes = size_t{64} * 1024;
  constexpr size_t kChunks = 16;
  constexpr size_t kRecordBytes = 100;
  const std::vector<Ptr> chunks = Segments(kChunks, kChunkBytes);
  return Repeated(
      [&] {
        uint64_t sum = 0;
        List list;
        for (const Ptr& chunk : chunks) {
          list.append(chunk);
          while (list.length() >= kRecordBytes) {
            List record;
            list.splice(0, kRecordBytes, &record);
            sum += static_cast<uint8_t>(const_cast<const List&>(record)[kRecordBytes - 1]);
          }
        }
        return sum;
      },
      kChunks * kChunkBytes / kRecordBytes);
}

template <class T>
void Append(List& list, T value) {
  list.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

Report Message(size_t payload_bytes) {
  const Ptr payload = Segments(1, payload_bytes)[0];
  const std::string name = "rbd_data.1f2e3d4c5b6a.0000";
  uint32_t sequence = 0;
  return Repeated([&] {
    List list;
    Append(list, static_cast<uint8_t>(1));
    Append(list, static_cast<uint16_t>(42));
    Append(list, static_cast<uint16_t>(name.size()));
    Append(list, static_cast<uint64_t>(0x1122334455667788));
    Append(list, sequence++);
    Append(list, static_cast<uint32_t>(payload.length()));
    list.append(name);
    list.append(payload);
    return list.length();
  });
}

Report ToBuffer() {
  const List list = ListOf(Segments(Scale(1000), kSegmentBytes));
  return Repeated([&] {
    Ptr joined(ceph::buffer::create(list.length()));
    list.begin().copy(list.length(), joined.c_str());
    return joined.length() + static_cast<uint8_t>(joined.c_str()[joined.length() - 1]);
  });
}

const std::map<std::string, std::function<Report()>> kCases = {
    {"substr/64", [] { return Substr(64); }},
    {"substr/1024", [] { return Substr(1024); }},
    {"substr/100000", [] { return Substr(100'000); }},
    {"byteAt/random-64", [] { return ByteAtRandom(64); }},
    {"byteAt/random-1024", [] { return ByteAtRandom(1024); }},
    {"byteAt/random-10000", [] { return ByteAtRandom(10'000); }},
    {"byteAt/random-1024-small", [] { return ByteAtRandom(1024, kSmallSegmentBytes); }},
    {"byteAt/random-10000-small", [] { return ByteAtRandom(10'000, kSmallSegmentBytes); }},
    {"byteAt/sequential", ByteAtSequential},
    {"append/copied-16", AppendCopied},
    {"append/uint32", AppendUint32},
    {"append/reference-1000", [] { return AppendReference(1000); }},
    {"append/reference-100000", [] { return AppendReference(100'000); }},
    {"claimAppend/one-segment", ClaimAppend},
    {"consume/200000", Consume},
    {"splice/move-in-100000", Splice},
    {"crc32c/64-MiB", CrcOnePiece},
    {"crc32c/4-KiB-cold", CrcPiecesCold},
    {"crc32c/4-KiB-cached", CrcCached},
    {"crc32c/4-KiB-other-seed", CrcOtherSeed},
    {"crc32c/sub-range", CrcRange},
    {"crc32c/sub-range-alone", CrcRangeAlone},
    {"heap/per-segment", HeapPerSegment},
    {"cursor/one-segment", [] { return Cursor(50); }},
    {"cursor/across-borders", [] { return Cursor(3); }},
    {"parser/records-100", Parser},
    {"message/4-KiB", [] { return Message(4096); }},
    {"message/64-KiB", [] { return Message(65'536); }},
    {"toBuffer/1000", ToBuffer},
};

void Print(const Report& report) {
  std::printf("{\"samples\":[");
  const char* comma = "";
  for (const double sample : report.samples) {
    std::printf("%s%.4f", comma, sample);
    comma = ",";
  }
  std::printf("],\"answer\":%llu,\"waitedShare\":%.3f}\n",
              static_cast<unsigned long long>(report.answer), report.waited_share);
}

int Run(const std::vector<std::string>& args) {
  const std::string name = args.empty() ? "" : args[0];
  is_smoke = args.size() > 1 && args[1] == "--smoke";
  if (name == "--cases") {
    for (const auto& [known, run] : kCases) std::printf("%s\n", known.c_str());
    return 0;
  }
  const auto found = kCases.find(name);
  if (found == kCases.end()) {
    std::fprintf(stderr, "usage: ceph-list --cases | ceph-list CASE [--smoke]\n");
    return 2;
  }
  const double waited_before_ns = WaitedNs();
  const double begin_ns = WallNs();
  Report report = found->second();
  report.waited_share = (WaitedNs() - waited_before_ns) / (WallNs() - begin_ns);
  Print(report);
  return 0;
}

}  // namespace
}  // namespace baseline

int main(int argc, char** argv) {
  return baseline::Run({argv + 1, argv + argc});
}
