#ifndef SPLICELIST_NATIVE_ENVIRONMENT_H_
#define SPLICELIST_NATIVE_ENVIRONMENT_H_

#include <node_api.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "census.h"
#include "descriptor.h"
#include "disk_job.h"
#include "disk_threads.h"
#include "handle.h"
#include "poller.h"
#include "relays.h"
#include "resource.h"
#include "unique_fd.h"
#include "waker.h"

namespace splicelist {

/// Everything of the addon that lives in one JavaScript environment: the main thread's, or one
/// worker's.
///
/// It owns the epoll set, its waker and the disk threads, and knows every handle; Close, and the
/// end of the environment, end all of it in one place. It is used on its own thread only. Between
/// Open and Close it tells JavaScript what happened: on each wake it fills an array of records and
/// calls `onEvents`; while disk jobs are pending, as long as there is more, but kRoundsMax times at
/// the most. The process is kept alive while a wait is armed or a disk job has not reported, and
/// not otherwise.
class Environment : public std::enable_shared_from_this<Environment> {
 public:
  /// How JavaScript is woken.
  enum class WakerKind {
    kLoop,    ///< LoopWaker.
    kThread,  ///< ThreadWaker.
  };

  /// How often JavaScript is called in one wake; what is left then makes the next wake.
  static constexpr int kRoundsMax = 8;
  /// Numbers in one record: token, type, value, errno, bytes held.
  static constexpr size_t kRecordNumbers = 5;

  /// An environment that is not open yet; pipes and descriptors may be used already.
  explicit Environment(napi_env env);
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment();

  /// Begins to report: into `events`, a Float64Array, and by calling `on_events`. 0 or −errno,
  /// −EALREADY when it is open.
  int64_t Open(napi_value on_events, napi_value events, WakerKind kind);
  /// Ends everything that is live here, running disk calls aside, which are orphaned. Idempotent.
  void Close();
  /// Whether it was closed, and not opened again.
  bool closed() const { return closed_; }

  /// What is live here.
  const std::shared_ptr<Census>& census() const { return census_; }
  /// How many descriptors are armed.
  int64_t waits() const { return poller_.armed(); }

  /// Registers a handle; Handle calls it.
  void Add(Handle* handle);
  /// Whether an address is that of a handle of this environment that was not finalized.
  bool Knows(Handle* address) const { return known_.count(address) != 0; }
  /// Drops and forgets a handle that the collector took; Handle calls it.
  void Collected(Handle* handle);
  /// Ends the handle's share of its resource, and what this environment did with that: its wait,
  /// its view. Jobs that use it become orphans. Idempotent.
  void Drop(Handle* handle);

  /// Arms `descriptor`; see Poller::Arm.
  int64_t Wait(const Descriptor& descriptor, uint32_t mask, uint64_t token);
  /// Disarms `descriptor`.
  void Unwait(const Descriptor& descriptor);
  /// Reports under `token`, until EndNotices, each time that the error queue of the socket
  /// `descriptor` may hold something new. Does not keep the process alive. 0 or −errno.
  int64_t WatchNotices(const Descriptor& descriptor, uint64_t token);
  /// Ends WatchNotices.
  void EndNotices(const Descriptor& descriptor);

  /// Starts a relay that stands; see Relays::Start. Its end is reported, unless EndRelay ends it.
  int64_t StartRelay(uint64_t token, std::shared_ptr<Descriptor> source,
                     std::shared_ptr<Descriptor> sink, uint64_t length);
  /// Ends the relay of `token`; see Relays::End.
  int64_t EndRelay(uint64_t token);
  /// Lends the pipe that the relays go through; see Relays::Lend.
  bool LendRelayPipe(std::shared_ptr<Pipe> pipe) { return relays_.Lend(std::move(pipe)); }

  /// Queues `job`; `target`, unless null, is kept from the collector until it has reported. 0 or
  /// −errno, −EEXIST when its token belongs to a job that has not reported.
  int64_t Submit(const std::shared_ptr<DiskJob>& job, napi_value target);
  /// Whether a disk thread can be spared for a job that could do without.
  bool HasSpareThread() const { return disk_threads_.HasSpare(); }
  /// Asks the job of `token` to stop, if there is one.
  void Cancel(uint64_t token);
  /// A share of the mapping that `address` lies in, when it lies in a slab; else null.
  std::shared_ptr<void> KeeperOf(const uint8_t* address) const;

  /// /dev/null, opened at the first call; or −errno.
  int64_t NullFd();

 private:
  struct PendingJob {
    std::shared_ptr<DiskJob> job;
    napi_ref target = nullptr;
  };
  /// Where events are written to: the array's memory as it is now.
  struct Records {
    double* numbers = nullptr;
    size_t capacity = 0;

    void Put(size_t index, uint64_t token, int type, uint64_t value, int error,
             uint64_t held = 0) const;
  };

  static void OnTeardown(napi_async_cleanup_hook_handle hook, void* environment);

  int64_t OpenSources(WakerKind kind);
  int64_t StartWaker(WakerKind kind);
  void OnWake();
  Records CurrentRecords() const;
  size_t Collect(const Records& records);
  size_t CollectReady(const Records& records, const ReadyEvent* ready, size_t found);
  size_t CollectReports(const Records& records, size_t count);
  bool CallJavaScript(size_t count);
  void Finish(uint64_t token);
  void UpdateHold();
  void Detach(Handle* handle, bool with_view);
  void EndHandles();
  void EndJobs();
  void EndWaker();
  void EndContext();

  const napi_env env_;
  const std::shared_ptr<Census> census_ = std::make_shared<Census>();
  std::array<std::unordered_set<Handle*>, 3> handles_;  // by Resource::Kind, until dropped
  std::unordered_set<Handle*> known_;                   // until finalized
  std::unordered_map<uint64_t, PendingJob> jobs_;       // by token
  Poller poller_;
  Poller notices_;  // apart, because who waits for an error queue waits beside all others
  Relays relays_{&poller_};
  DiskThreads disk_threads_;
  std::shared_ptr<Waker> waker_;
  UniqueFd null_;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  napi_async_context context_ = nullptr;
  napi_ref on_events_ = nullptr;
  napi_ref events_ = nullptr;
  bool open_ = false;
  bool closed_ = false;
  bool held_ = false;
  bool waking_ = false;  // JavaScript may be running within the context
  bool tearing_down_ = false;
};

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_ENVIRONMENT_H_
