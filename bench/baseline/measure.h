// Measures as bench/harness/measure.ts does, on the same clock: the time on the wall, without the
// time in which this thread could have run but others had the CPU.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "inputs.h"

namespace baseline {

constexpr double kWarmNs = 80e6;
constexpr double kSamplingNs = 120e6;
constexpr double kCallNsMin = 1e6;
constexpr double kSlowNs = 400e6;
constexpr size_t kSamplesMin = 5;

struct Report {
  std::vector<double> samples;
  uint64_t answer = 0;
  double waited_share = 0;
};

// So that no result is dead code.
inline volatile uint64_t sink;

inline double WallNs() {
  return std::chrono::duration<double, std::nano>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Time in which this thread could have run, but others had the CPU.
inline double WaitedNs() {
  static const int account = open("/proc/thread-self/schedstat", O_RDONLY);
  char text[128] = {};
  if (pread(account, text, sizeof(text) - 1, 0) <= 0) return 0;
  const char* second = std::strchr(text, ' ');
  return second == nullptr ? 0 : std::strtod(second, nullptr);
}

// Time without that of waiting. It never goes back.
inline double NowNs() {
  for (;;) {
    const double waited = WaitedNs();
    const double now = WallNs();
    // Nobody had the CPU between the two readings, or they do not belong together.
    if (WaitedNs() == waited) return now - waited;
  }
}

template <class Run>
double Stopwatch(Run&& run) {
  const double begin = NowNs();
  sink = run();
  return NowNs() - begin;
}

// Work that leaves things as they were.
template <class Operate>
Report Repeated(Operate&& operate, size_t operations = 1) {
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
    const double ns = Stopwatch(repeat);
    warmed_ns += ns;
    if (ns < kCallNsMin)
      times *= 2;
    else if (warmed_ns >= kWarmNs)
      break;
  }
  double sampled_ns = 0;
  while (report.samples.size() < kSamplesMin || sampled_ns < kSamplingNs) {
    const double ns = Stopwatch(repeat);
    sampled_ns += ns;
    report.samples.push_back(ns / static_cast<double>(times * operations));
    if (ns > kSlowNs) break;
  }
  return report;
}

// Work that uses up what `prepare` makes, outside of the clock.
template <class Prepare, class Run>
Report Consuming(size_t operations, Prepare&& prepare, Run&& run) {
  Report report;
  {
    auto input = prepare();
    report.answer = run(input);
  }
  if (is_smoke) return report;
  double elapsed_ns = 0;
  while (report.samples.size() < kSamplesMin || elapsed_ns < kSamplingNs) {
    auto input = prepare();
    const double ns = Stopwatch([&] { return run(input); });
    elapsed_ns += ns;
    report.samples.push_back(ns / static_cast<double>(operations));
    if (ns > kSlowNs) break;
  }
  return report;
}

}  // namespace baseline
