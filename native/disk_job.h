#ifndef SPLICELIST_NATIVE_DISK_JOB_H_
#define SPLICELIST_NATIVE_DISK_JOB_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "census.h"
#include "descriptor.h"
#include "move.h"
#include "pipe.h"
#include "resource.h"
#include "unique_fd.h"

namespace splicelist {

/// The disk thread that runs a job, as the job sees it.
class JobHost {
 public:
  JobHost() = default;
  JobHost(const JobHost&) = delete;
  JobHost& operator=(const JobHost&) = delete;
  virtual ~JobHost() = default;

  /// Whether another job waits for a thread. Costs a mutex.
  virtual bool IsWanted() = 0;
};

/// One piece of work that may wait for a disk: it runs on a disk thread, from start to end, once.
///
/// The job holds shares of what it works on (a duplicate where it was borrowed), so that
/// descriptors stay open, and memory mapped, until the call that is using them has returned;
/// Release gives them up. Shared by the environment's thread, which may cancel it at any time, and
/// one disk thread.
class DiskJob {
 public:
  /// A job that reports under `token` and works on what JavaScript knows as `resources`.
  DiskJob(std::shared_ptr<Census> census, uint64_t token,
          std::vector<std::weak_ptr<Resource>> resources);
  DiskJob(const DiskJob&) = delete;
  DiskJob& operator=(const DiskJob&) = delete;
  virtual ~DiskJob() = default;

  /// Works until the end, an error, or the next call after Cancel. Returns 0 or a positive errno.
  virtual int Run(JobHost* host) = 0;
  /// Gives up its shares. After Run, or instead of it.
  virtual void Release() = 0;
  /// Gives up what belongs to JavaScript, at once, while the job may be running. No call after this
  /// one touches it.
  virtual void Withdraw() {}

  /// Whether it works on `resource`, or has until it ended.
  bool Uses(const std::shared_ptr<Resource>& resource) const;
  /// Ends a wait for a peer, if the job is in one, and keeps it from waiting again. Any thread.
  virtual void Nudge() {}
  /// Asks the job to stop at its next call.
  void Cancel();
  /// Counts it as an orphan from now on: what it uses was dropped. Idempotent.
  void MarkOrphan();

  /// The token it reports under.
  uint64_t token() const { return token_; }
  /// Bytes done. Read by its own thread, and by others once it has ended.
  uint64_t done() const { return done_; }

 protected:
  /// Whether it was asked to stop.
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }
  /// Counts `bytes` as done.
  void Add(int64_t bytes) { done_ += static_cast<uint64_t>(bytes); }

 private:
  const Counted counted_;
  std::optional<Counted> orphaned_;  // touched by the environment's thread only
  const std::vector<std::weak_ptr<Resource>> resources_;
  const uint64_t token_;
  std::atomic<bool> cancelled_{false};
  uint64_t done_ = 0;
};

/// Where in a file a job stands; moves along with it unless it is the file's own position.
class Cursor {
 public:
  /// At `offset`, or at the file's own position when it is kOwnPosition.
  explicit Cursor(int64_t offset) : offset_(offset) {}
  /// Where the next call goes.
  int64_t offset() const { return offset_; }
  /// Whether that is the file's own position.
  bool IsOwnPosition() const;
  /// Moves on by `bytes`.
  void Advance(int64_t bytes);

 private:
  int64_t offset_;
};

/// One step of a pump: `length` bytes from `source` to `sink`.
struct PumpStep {
  /// Where they come from.
  std::shared_ptr<Endpoint> source;
  /// Where they go.
  std::shared_ptr<Endpoint> sink;
  /// How many.
  uint64_t length;
};

/// `Move` in a loop, step by step: through several pipes for the price of one job.
class PumpJob final : public DiskJob {
 public:
  /// The most bytes of one call, so that a job can be cancelled.
  static constexpr uint64_t kStepBytes = uint64_t{4} << 20;

  /// Takes `steps` in order, from `source_offset` and to `sink_offset` on, and ends within the
  /// first that is cut short.
  PumpJob(std::shared_ptr<Census> census, uint64_t token, std::vector<PumpStep> steps,
          int64_t source_offset, int64_t sink_offset);

  int Run(JobHost* host) override;
  void Release() override;

 private:
  int64_t MoveSome(const PumpStep& step, uint64_t length);

  std::vector<PumpStep> steps_;
  Cursor source_cursor_;
  Cursor sink_cursor_;
};

/// `Move`, or `Fill` and `Drain` where a pipe has to be between the two, in a loop that waits for
/// its peers: as a program would that does nothing else, for as long as bytes keep coming.
///
/// It takes what there is, and waits where there is nothing: for any byte, or, where that is asked
/// for, until the source has gathered many. Its patience is short, so that a thread is never held
/// by a peer that has gone quiet; it is over when the job is cancelled, soon when another job waits
/// for a thread, and after kStayMilliseconds, to tell how far it is.
class CarryJob final : public DiskJob {
 public:
  /// The most bytes between two looks at whether it was cancelled.
  static constexpr uint64_t kStepBytes = uint64_t{1} << 20;
  /// How long it may wait for a peer at once, at the most.
  static constexpr int kPatienceMillisecondsMax = 1000;
  /// How long it goes on while another job waits for the thread, unless it has to wait itself: a
  /// hundred times what it costs to begin one.
  static constexpr int kTurnMilliseconds = 1;
  /// How long it may go on, in all.
  static constexpr int kStayMilliseconds = 50;

  /// Moves up to `length` bytes, through `pipe` unless null, which is empty. What the sink did not
  /// take lies in the pipe afterwards. Each wait for a peer is at most `patience_milliseconds`
  /// long; one for a TCP source ends when `gathered` bytes are there, or what is left if that is
  /// less. The source's low-water mark has to be 1 and is so again when the job has run. No call
  /// gives the sink more than `burst` bytes, which is at least 1.
  CarryJob(std::shared_ptr<Census> census, uint64_t token, std::shared_ptr<Descriptor> source,
           int64_t source_offset, std::shared_ptr<Pipe> pipe, std::shared_ptr<Endpoint> sink,
           int64_t sink_offset, uint64_t length, uint64_t burst, int gathered,
           int patience_milliseconds);

  int Run(JobHost* host) override;
  void Release() override;
  void Nudge() override;

 private:
  int CarryOn(JobHost* host);
  Relayed Attempt(uint64_t length);
  Relayed ThroughPipe(uint64_t length);
  bool Await(JobHost* host);
  void AwaitSource();
  void SetLowWater(int bytes);
  bool IsOver(JobHost* host, int turn_milliseconds) const;
  bool OpenWake();

  std::shared_ptr<Descriptor> source_;
  std::shared_ptr<Pipe> pipe_;
  std::shared_ptr<Endpoint> sink_;
  Cursor source_cursor_;
  Cursor sink_cursor_;
  const uint64_t length_;
  const uint64_t burst_;
  const int gathered_;
  const int patience_milliseconds_;
  int low_water_ = 1;  // of the source, in bytes
  uint64_t held_ = 0;  // bytes in the pipe
  std::chrono::steady_clock::time_point begun_;
  std::mutex mutex_;  // of wake_
  UniqueFd wake_;     // written to by Nudge; open from the first wait on
};

/// Memory of JavaScript that a job fills from its thread.
///
/// JavaScript's memory ends when its environment ends, and no thread may wait for a disk then. So
/// bytes come through a bounce buffer, and each piece is put in place under a lock that Withdraw
/// takes too. Memory with a keeper, a slab's mapping, outlives all that: bytes go straight to it.
class TargetMemory {
 public:
  /// `length` bytes at `bytes`, which stay valid until Withdraw, or for as long as `keeper` is
  /// held.
  TargetMemory(uint8_t* bytes, size_t length, std::shared_ptr<void> keeper)
      : bytes_(bytes), length_(length), is_kept_(keeper != nullptr), keeper_(std::move(keeper)) {}

  /// Its length in bytes.
  size_t length() const { return length_; }
  /// The memory at `offset` where it may be written without a lock, or null.
  uint8_t* Direct(size_t offset) const { return is_kept_ ? bytes_ + offset : nullptr; }
  /// Puts `count` bytes in place at `offset`. False when the memory was withdrawn.
  bool Store(size_t offset, const uint8_t* from, size_t count);
  /// Ends access to memory that has no keeper. Waits for a Store that is under way, no longer.
  void Withdraw();
  /// Gives up the keeper.
  void Release() { keeper_.reset(); }

 private:
  std::mutex mutex_;
  uint8_t* bytes_;
  const size_t length_;
  const bool is_kept_;
  std::shared_ptr<void> keeper_;  // for Release alone: Withdraw runs beside it
};

/// `pread` in a loop.
class ReadJob final : public DiskJob {
 public:
  /// The most bytes of one call: small enough that the copy finds them in a core's own cache.
  static constexpr size_t kStepBytes = size_t{128} << 10;

  /// Fills `length` bytes at `target` from `file` at `offset`; `keeper`, if any, keeps the target.
  ReadJob(std::shared_ptr<Census> census, uint64_t token, std::shared_ptr<Descriptor> file,
          int64_t offset, uint8_t* target, size_t length, std::shared_ptr<void> keeper);

  int Run(JobHost* host) override;
  void Release() override;
  void Withdraw() override { target_.Withdraw(); }

 private:
  std::shared_ptr<Descriptor> file_;
  Cursor cursor_;
  TargetMemory target_;
};

/// `pwrite` in a loop.
class WriteJob final : public DiskJob {
 public:
  /// The most bytes of one call.
  static constexpr size_t kStepBytes = size_t{4} << 20;

  /// Writes the `length` bytes at `bytes`, which stay there while `keeper` is held, into `file` at
  /// `offset`.
  WriteJob(std::shared_ptr<Census> census, uint64_t token, std::shared_ptr<Descriptor> file,
           int64_t offset, const uint8_t* bytes, size_t length, std::shared_ptr<void> keeper);

  int Run(JobHost* host) override;
  void Release() override;

 private:
  std::shared_ptr<Descriptor> file_;
  Cursor cursor_;
  const uint8_t* const bytes_;
  const size_t length_;
  std::shared_ptr<void> keeper_;
};

/// `fsync` or `fdatasync`.
class SyncJob final : public DiskJob {
 public:
  /// Brings `file` to its disk; `data_only` leaves out what is not needed to read it back.
  SyncJob(std::shared_ptr<Census> census, uint64_t token, std::shared_ptr<Descriptor> file,
          bool data_only);

  int Run(JobHost* host) override;
  void Release() override;

 private:
  std::shared_ptr<Descriptor> file_;
  const bool data_only_;
};

/// One call on a range of a file's page cache: starts to write it back, waits until it is written
/// back, or drops the pages that are clean and that nobody uses.
class CacheJob final : public DiskJob {
 public:
  /// Which call.
  enum class Step { kWriteBack, kSettle, kDrop };

  /// Does `step` to the `length` bytes of `file` at `offset`.
  CacheJob(std::shared_ptr<Census> census, uint64_t token, std::shared_ptr<Descriptor> file,
           Step step, int64_t offset, int64_t length);

  int Run(JobHost* host) override;
  void Release() override;

 private:
  std::shared_ptr<Descriptor> file_;
  const Step step_;
  const int64_t offset_;
  const int64_t length_;
};

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_DISK_JOB_H_
