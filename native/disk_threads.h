#ifndef SPLICELIST_NATIVE_DISK_THREADS_H_
#define SPLICELIST_NATIVE_DISK_THREADS_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "disk_job.h"

namespace splicelist {

/// How a job ended.
struct DiskReport {
  /// The job. Holding it keeps it counted as not reported.
  std::shared_ptr<DiskJob> job;
  /// Bytes done.
  uint64_t done = 0;
  /// 0, or why it ended early: a positive errno.
  int error = 0;
};

/// The threads of one environment that may wait for a disk, and their queue.
///
/// Belongs to the environment's thread. At most kThreadsMax threads are started, one when a job
/// finds none idle; each ends after kIdleSeconds without work, or when this closes. They are
/// detached and share their state with this object, because a thread that is stuck on a disk can be
/// neither joined nor waited for: nobody ever does. All signals are blocked in them.
///
/// Jobs start in the order they came; each reports its end, once. A submission costs a mutex and a
/// notification, the first one a thread.
class DiskThreads {
 public:
  /// The most threads of an environment.
  static constexpr size_t kThreadsMax = 4;
  /// How long an idle thread stays.
  static constexpr int kIdleSeconds = 10;

  /// The most jobs with which a thread counts as free: half of the threads, so that what has to
  /// wait for a disk finds one.
  static constexpr size_t kCarriersMax = kThreadsMax / 2;

  /// No thread, no descriptor yet.
  DiskThreads();
  DiskThreads(const DiskThreads&) = delete;
  DiskThreads& operator=(const DiskThreads&) = delete;
  ~DiskThreads();

  /// Opens the queue. 0 or −errno.
  int64_t Open();
  /// Drops the queued jobs, asks the running ones to stop, and forgets what they report. Does not
  /// wait.
  void Close();
  /// Written to when there is something to Take, and never read: to be watched edge-triggered.
  /// −1 when closed.
  int wake_fd() const;

  /// Queues `job`. 0, or −errno when not one thread can be had.
  int64_t Submit(std::shared_ptr<DiskJob> job);
  /// Whether a job that does not need a thread may have one: fewer than kCarriersMax are busy.
  bool HasSpare() const;
  /// Stops `job` at its next call; at once when it has not started. Its end is still reported.
  void Cancel(const std::shared_ptr<DiskJob>& job);
  /// Takes the oldest report, if there is one.
  bool Take(DiskReport* report);
  /// Writes to the descriptor once more when reports are left.
  void Remind() const;

 private:
  class Host;
  struct Shared;

  static void* RunThread(void* argument);
  bool StartThread();

  std::shared_ptr<Shared> shared_;
};

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_DISK_THREADS_H_
