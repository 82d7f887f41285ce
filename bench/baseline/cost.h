// What work costs the process that does it, on the clocks of bench/harness/meter.ts.
#pragma once

#include <sys/resource.h>

#include <chrono>
#include <fstream>
#include <string>

#include "system.h"

namespace baseline {

struct Cost {
  double cpu_seconds = 0;
  double wall_seconds = 0;
  // In which others had the CPU.
  double waited_seconds = 0;
};

class Meter {
 public:
  Cost read() const {
    return {CpuSeconds() - cpu_, WallSeconds() - wall_, WaitedSeconds() - waited_};
  }

 private:
  static double CpuSeconds() {
    rusage usage{};
    Checked(getrusage(RUSAGE_SELF, &usage), "getrusage");
    return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
  }
  static double Seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  }
  static double WallSeconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }

  static double WaitedSeconds() {
    double ran_ns = 0;
    double waited_ns = 0;
    std::ifstream("/proc/self/schedstat") >> ran_ns >> waited_ns;
    return waited_ns / 1e9;
  }

  // The cheapest reading last: it is nearest to what is measured.
  double waited_ = WaitedSeconds();
  double cpu_ = CpuSeconds();
  double wall_ = WallSeconds();
};

// `VmHWM` belongs to this program alone; `ru_maxrss` remembers the one that started it.
inline long PeakRssBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    long kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib * 1024;
  }
  return 0;
}

}  // namespace baseline
