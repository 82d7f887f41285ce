#ifndef SPLICELIST_NATIVE_CENSUS_H_
#define SPLICELIST_NATIVE_CENSUS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace splicelist {

/// What exists in one environment right now: the numbers behind `live()`.
///
/// Shared by the environment and by everything it counts, because a pipe that a disk call still
/// uses may outlive the environment and is closed on the disk's thread. Hence the atomics.
struct Census {
  /// Pipes whose ends are open.
  std::atomic<int64_t> pipes{0};
  /// Descriptors, borrowed and duplicated.
  std::atomic<int64_t> descriptors{0};
  /// Slabs that have not been dropped.
  std::atomic<int64_t> slabs{0};
  /// Disk jobs that have not reported.
  std::atomic<int64_t> jobs{0};
  /// Of those, jobs whose descriptors were dropped, or whose environment closed, meanwhile.
  std::atomic<int64_t> orphans{0};
};

/// One entry in the census, for as long as this object lives.
///
/// A member of what is counted, so that a count cannot be forgotten on any path. One atomic
/// increment, one decrement.
class Counted {
 public:
  /// Counts one in the column `column` of `census`.
  Counted(std::shared_ptr<Census> census, std::atomic<int64_t> Census::*column)
      : census_(std::move(census)), column_(column) {
    (census_.get()->*column_).fetch_add(1, std::memory_order_relaxed);
  }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { (census_.get()->*column_).fetch_sub(1, std::memory_order_relaxed); }

  /// The census this is counted in.
  const std::shared_ptr<Census>& census() const { return census_; }

 private:
  std::shared_ptr<Census> census_;
  std::atomic<int64_t> Census::*column_;
};

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_CENSUS_H_
