// The cases of bench/list/ over the real Ceph list, by its public header:
//
//     ceph-list --cases            the names of the cases that it can do
//     ceph-list CASE [--smoke]     one case, as one line of JSON: {"samples": […], "answer": n, …}
//
// A sample is nanoseconds (or bytes) for one operation. The answer is what the first repetition
// found; every library has to find the same. Inputs and offsets are those of bench/list/inputs.ts,
// and the clock is used as in bench/harness/measure.ts. It measures a library that it is linked to
// dynamically, and is no part of the package.

#include <fcntl.h>
#include <malloc.h>
#include <rados/buffer.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace {

using List = ceph::buffer::list;
using Ptr = ceph::buffer::ptr;

// ---- the same bytes and offsets as bench/list/inputs.ts

constexpr size_t gap_bytes = 64;
constexpr size_t arena_bytes_max = 72 * 1024 * 1024;
constexpr size_t offsets_count = 1 << 16;
constexpr uint32_t seed_of_all = 0x9e3779b9;
constexpr size_t smoke_size_max = 64;

bool is_smoke = false;

size_t scale(size_t full) {
  return is_smoke ? std::min(full, smoke_size_max) : full;
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
  uint32_t x_ = seed_of_all;
};

std::vector<Ptr> segments(size_t count, size_t length_bytes) {
  const size_t stride = length_bytes + gap_bytes;
  const size_t places = std::max<size_t>(1, std::min(count, arena_bytes_max / stride));
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
  explicit Offsets(uint32_t end) : offsets_(offsets_count) {
    Random random;
    for (auto& offset : offsets_) offset = random.next() % end;
  }
  uint32_t next() { return offsets_[i_++ & (offsets_count - 1)]; }

 private:
  std::vector<uint32_t> offsets_;
  size_t i_ = 0;
};

List list_of(const std::vector<Ptr>& parts) {
  List list;
  for (const Ptr& part : parts) list.append(part);
  return list;
}

// ---- the clock

constexpr double warm_ns = 80e6;
constexpr double sampling_ns = 120e6;
constexpr double call_ns_min = 1e6;
constexpr double slow_ns = 400e6;
constexpr size_t samples_min = 5;

struct Report {
  std::vector<double> samples;
  uint64_t answer = 0;
  double waited_share = 0;
};

// So that no result is dead code.
volatile uint64_t sink;

double wall_ns() {
  return std::chrono::duration<double, std::nano>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Time in which this thread could have run, but others had the CPU.
double waited_ns() {
  static const int account = open("/proc/thread-self/schedstat", O_RDONLY);
  char text[128] = {};
  if (pread(account, text, sizeof(text) - 1, 0) <= 0) return 0;
  const char* second = std::strchr(text, ' ');
  return second == nullptr ? 0 : std::strtod(second, nullptr);
}

template <class Run>
double stopwatch(Run&& run) {
  const double waited = waited_ns();
  const double begin = wall_ns();
  sink = run();
  const double end = wall_ns();
  return end - begin - (waited_ns() - waited);
}

// Work that leaves things as they were.
template <class Operate>
Report repeated(Operate&& operate, size_t operations = 1) {
  Report report;
  report.answer = operate();
  if (is_smoke) return report;
  size_t times = 1;
  const auto repeat = [&] {
    uint64_t sum = 0;
    for (size_t left = times; left > 0; left--) sum += operate();
    return sum;
  };
  for (double warmed_ns = 0;;) {
    const double ns = stopwatch(repeat);
    warmed_ns += ns;
    if (ns < call_ns_min)
      times *= 2;
    else if (warmed_ns >= warm_ns)
      break;
  }
  double sampled_ns = 0;
  while (report.samples.size() < samples_min || sampled_ns < sampling_ns) {
    const double ns = stopwatch(repeat);
    sampled_ns += ns;
    report.samples.push_back(ns / static_cast<double>(times * operations));
    if (ns > slow_ns) break;
  }
  return report;
}

// Work that uses up what `prepare` makes, outside of the clock.
template <class Prepare, class Run>
Report consuming(size_t operations, Prepare&& prepare, Run&& run) {
  Report report;
  {
    auto input = prepare();
    report.answer = run(input);
  }
  if (is_smoke) return report;
  double elapsed_ns = 0;
  while (report.samples.size() < samples_min || elapsed_ns < sampling_ns) {
    auto input = prepare();
    const double ns = stopwatch([&] { return run(input); });
    elapsed_ns += ns;
    report.samples.push_back(ns / static_cast<double>(operations));
    if (ns > slow_ns) break;
  }
  return report;
}

// ---- the cases

constexpr size_t segment_bytes = 4096;
constexpr size_t window_bytes = 64 * 1024;

Report substr(size_t count) {
  const List list = list_of(segments(scale(count), segment_bytes));
  Offsets offsets(list.length() - window_bytes);
  return repeated([&] {
    List window;
    window.substr_of(list, offsets.next(), window_bytes);
    return window.length();
  });
}

Report byte_at_random(size_t count) {
  const List list = list_of(segments(scale(count), segment_bytes));
  Offsets offsets(list.length());
  return repeated([&] { return static_cast<uint8_t>(list[offsets.next()]); });
}

// By an iterator: that is how Ceph reads one byte after the other.
Report byte_at_sequential() {
  const List list = list_of(segments(scale(1024), segment_bytes));
  auto at = list.begin();
  return repeated([&] {
    const uint8_t byte = static_cast<uint8_t>(*at);
    ++at;
    if (at.end()) at = list.begin();
    return byte;
  });
}

template <class Add>
Report growing(size_t operations, Add&& add) {
  return repeated(
      [&] {
        List list;
        for (size_t i = 0; i < operations; i++) add(list, i);
        return list.length();
      },
      operations);
}

constexpr size_t list_bytes = 1024 * 1024;

Report append_copied() {
  constexpr size_t scrap_bytes = 16;
  const Ptr scrap = segments(1, scrap_bytes)[0];
  return growing(scale(list_bytes / scrap_bytes),
                 [&](List& list, size_t) { list.append(scrap.c_str(), scrap_bytes); });
}

Report append_uint32() {
  return growing(scale(list_bytes / sizeof(uint32_t)), [](List& list, size_t i) {
    const uint32_t value = static_cast<uint32_t>(i);
    list.append(reinterpret_cast<const char*>(&value), sizeof(value));
  });
}

Report append_reference(size_t count) {
  const std::vector<Ptr> parts = segments(scale(count), segment_bytes);
  return growing(parts.size(), [&](List& list, size_t i) { list.append(parts[i]); });
}

Report claim_append() {
  const std::vector<Ptr> parts = segments(scale(10'000), 64);
  return consuming(
      parts.size(),
      [&] {
        std::vector<List> lists(parts.size());
        for (size_t i = 0; i < parts.size(); i++) lists[i].append(parts[i]);
        return lists;
      },
      [](std::vector<List>& lists) {
        // The end of what was claimed is not claimAppend's to pay for.
        static List all;
        all.clear();
        for (List& list : lists) all.claim_append(list);
        return all.length();
      });
}

Report consume() {
  constexpr size_t bytes = 16;
  const std::vector<Ptr> parts = segments(scale(200'000), bytes);
  return consuming(
      parts.size(), [&] { return list_of(parts); },
      [&](List& list) {
        uint64_t sum = 0;
        for (size_t left = parts.size(); left > 0; left--) {
          list.splice(0, bytes);
          sum += list.length();
        }
        return sum;
      });
}

// Ceph cannot insert, so the tail is cut off and claimed again.
Report splice() {
  const std::vector<Ptr> parts = segments(scale(100'000), segment_bytes);
  const size_t cuts = scale(100);
  return consuming(
      cuts, [&] { return list_of(parts); },
      [&](List& list) {
        Offsets offsets(list.length() - window_bytes);
        uint64_t sum = 0;
        for (size_t left = cuts; left > 0; left--) {
          List range;
          List tail;
          list.splice(offsets.next(), window_bytes, &range);
          const uint32_t to = offsets.next();
          if (to < list.length()) list.splice(to, list.length() - to, &tail);
          list.claim_append(range);
          list.claim_append(tail);
          sum += static_cast<uint8_t>(const_cast<const List&>(list)[offsets.next()]);
        }
        return sum;
      });
}

// ---- checksums

constexpr size_t range_bytes = 1024 * 1024;
constexpr size_t range_pieces = range_bytes / segment_bytes + 1;

std::vector<Ptr> pieces() {
  return segments(scale(16 * 1024), segment_bytes);
}

// Ceph's caches are with its raws, so they are emptied rather than made anew.
Report crc_cold(List list, size_t operations) {
  return consuming(
      operations,
      [&] {
        list.invalidate_crc();
        return &list;
      },
      [](List* list) { return list->crc32c(0); });
}

Report crc_one_piece() {
  List list = list_of(pieces());
  list.rebuild();
  return crc_cold(std::move(list), 1);
}

Report crc_pieces_cold() {
  const std::vector<Ptr> parts = pieces();
  return crc_cold(list_of(parts), parts.size());
}

Report crc_cached() {
  const std::vector<Ptr> parts = pieces();
  const List list = list_of(parts);
  list.crc32c(0);
  return repeated([&] { return list.crc32c(0); }, parts.size());
}

Report crc_other_seed() {
  const std::vector<Ptr> parts = pieces();
  const List list = list_of(parts);
  list.crc32c(0);
  uint32_t seed = 0;
  return repeated([&] { return list.crc32c(++seed); }, parts.size());
}

Report crc_range() {
  const List list = list_of(pieces());
  list.crc32c(0);
  const size_t bytes = std::min<size_t>(range_bytes, list.length() / 2);
  Offsets offsets(list.length() - bytes);
  return repeated(
      [&] {
        List range;
        range.substr_of(list, offsets.next(), bytes);
        return range.crc32c(0);
      },
      scale(range_pieces));
}

Report crc_range_alone() {
  const List list = list_of(pieces());
  list.crc32c(0);
  const size_t bytes = std::min<size_t>(range_bytes, list.length() / 2);
  Offsets offsets(list.length() - bytes);
  const size_t count = scale(100);
  return consuming(
      count * scale(range_pieces),
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

// ---- the rest

Report heap_per_segment() {
  const std::vector<Ptr> parts = segments(scale(100'000), 64);
  Report report;
  report.answer = parts.size();
  const size_t before = mallinfo2().uordblks;
  const List list = list_of(parts);
  const size_t held = mallinfo2().uordblks - before;
  report.samples.push_back(static_cast<double>(held) / static_cast<double>(parts.size()));
  sink = list.length();
  return report;
}

template <class T>
uint64_t read(List::const_iterator& at) {
  T value;
  at.copy(sizeof(value), reinterpret_cast<char*>(&value));
  return value;
}

Report cursor(size_t cut_bytes) {
  constexpr size_t rounds = 6;
  constexpr size_t header_bytes = rounds * 7 + 8;
  const Ptr header = segments(1, header_bytes)[0];
  List list;
  for (size_t at = 0; at < header_bytes; at += cut_bytes) {
    const size_t length = std::min(cut_bytes, header_bytes - at);
    list.append(Ptr(header.c_str() + at, static_cast<unsigned>(length)));
  }
  return repeated(
      [&] {
        auto at = list.cbegin();
        uint64_t sum = 0;
        for (size_t i = 0; i < rounds; i++)
          sum += read<uint8_t>(at) + read<uint16_t>(at) + read<uint32_t>(at);
        sum += read<uint32_t>(at);
        sum += read<uint32_t>(at);
        return sum;
      },
      3 * rounds + 2);
}

Report parser() {
  constexpr size_t chunk_bytes = 64 * 1024;
  constexpr size_t record_bytes = 100;
  const std::vector<Ptr> chunks = segments(16, chunk_bytes);
  return repeated(
      [&] {
        uint64_t sum = 0;
        List list;
        for (const Ptr& chunk : chunks) {
          list.append(chunk);
          while (list.length() >= record_bytes) {
            List record;
            list.splice(0, record_bytes, &record);
            sum += static_cast<uint8_t>(const_cast<const List&>(record)[record_bytes - 1]);
          }
        }
        return sum;
      },
      16 * chunk_bytes / record_bytes);
}

template <class T>
void append(List& list, T value) {
  list.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

Report message(size_t payload_bytes) {
  const Ptr payload = segments(1, payload_bytes)[0];
  const std::string name = "rbd_data.1f2e3d4c5b6a.0000";
  uint32_t sequence = 0;
  return repeated([&] {
    List list;
    append(list, static_cast<uint8_t>(1));
    append(list, static_cast<uint16_t>(42));
    append(list, static_cast<uint16_t>(name.size()));
    append(list, static_cast<uint64_t>(0x1122334455667788));
    append(list, sequence++);
    append(list, static_cast<uint32_t>(payload.length()));
    list.append(name);
    list.append(payload);
    return list.length();
  });
}

Report to_buffer() {
  const List list = list_of(segments(scale(1000), segment_bytes));
  return repeated([&] {
    Ptr joined(ceph::buffer::create(list.length()));
    list.begin().copy(list.length(), joined.c_str());
    return joined.length() + static_cast<uint8_t>(joined.c_str()[joined.length() - 1]);
  });
}

const std::map<std::string, std::function<Report()>> cases = {
    {"substr/64", [] { return substr(64); }},
    {"substr/1024", [] { return substr(1024); }},
    {"substr/100000", [] { return substr(100'000); }},
    {"byteAt/random-64", [] { return byte_at_random(64); }},
    {"byteAt/random-1024", [] { return byte_at_random(1024); }},
    {"byteAt/random-10000", [] { return byte_at_random(10'000); }},
    {"byteAt/sequential", byte_at_sequential},
    {"append/copied-16", append_copied},
    {"append/uint32", append_uint32},
    {"append/reference-1000", [] { return append_reference(1000); }},
    {"append/reference-100000", [] { return append_reference(100'000); }},
    {"claimAppend/one-segment", claim_append},
    {"consume/200000", consume},
    {"splice/move-in-100000", splice},
    {"crc32c/64-MiB", crc_one_piece},
    {"crc32c/4-KiB-cold", crc_pieces_cold},
    {"crc32c/4-KiB-cached", crc_cached},
    {"crc32c/4-KiB-other-seed", crc_other_seed},
    {"crc32c/sub-range", crc_range},
    {"crc32c/sub-range-alone", crc_range_alone},
    {"heap/per-segment", heap_per_segment},
    {"cursor/one-segment", [] { return cursor(50); }},
    {"cursor/across-borders", [] { return cursor(3); }},
    {"parser/records-100", parser},
    {"message/4-KiB", [] { return message(4 * 1024); }},
    {"message/64-KiB", [] { return message(64 * 1024); }},
    {"toBuffer/1000", to_buffer},
};

void print(const Report& report) {
  std::printf("{\"samples\":[");
  const char* comma = "";
  for (const double sample : report.samples) {
    std::printf("%s%.4f", comma, sample);
    comma = ",";
  }
  std::printf("],\"answer\":%llu,\"waitedShare\":%.3f}\n",
              static_cast<unsigned long long>(report.answer), report.waited_share);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  is_smoke = argc > 2 && std::string(argv[2]) == "--smoke";
  if (name == "--cases") {
    for (const auto& [known, run] : cases) std::printf("%s\n", known.c_str());
    return 0;
  }
  const auto found = cases.find(name);
  if (found == cases.end()) {
    std::fprintf(stderr, "usage: ceph-list --cases | ceph-list CASE [--smoke]\n");
    return 2;
  }
  const double waited_before_ns = waited_ns();
  const double begin_ns = wall_ns();
  Report report = found->second();
  report.waited_share = (waited_ns() - waited_before_ns) / (wall_ns() - begin_ns);
  print(report);
  return 0;
}
