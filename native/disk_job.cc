#include "disk_job.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "system_calls.h"

namespace splicelist {
namespace {

int64_t ReadFile(int fd, const Cursor& cursor, uint8_t* target, size_t length) {
  return RetryInterrupted([&] {
    return cursor.IsOwnPosition() ? Calls().read(fd, target, length)
                                  : Calls().pread(fd, target, length, cursor.offset());
  });
}

int64_t WriteFile(int fd, const Cursor& cursor, const uint8_t* bytes, size_t length) {
  return RetryInterrupted([&] {
    return cursor.IsOwnPosition() ? Calls().write(fd, bytes, length)
                                  : Calls().pwrite(fd, bytes, length, cursor.offset());
  });
}

/// Compares owners, not addresses, so that it may be asked while the job gives up its shares.
bool IsSame(const std::weak_ptr<Resource>& one, const std::shared_ptr<Resource>& other) {
  return !one.owner_before(other) && !other.owner_before(one);
}

std::vector<std::weak_ptr<Resource>> Used(const std::vector<PumpStep>& steps) {
  std::vector<std::weak_ptr<Resource>> used;
  for (const PumpStep& step : steps) {
    used.push_back(step.source->origin());
    used.push_back(step.sink->origin());
  }
  return used;
}

std::vector<std::weak_ptr<Resource>> Used(const std::shared_ptr<Endpoint>& source,
                                          const std::shared_ptr<Pipe>& pipe,
                                          const std::shared_ptr<Endpoint>& sink) {
  std::vector<std::weak_ptr<Resource>> used = {source->origin(), sink->origin()};
  if (pipe) used.push_back(pipe->origin());
  return used;
}

}  // namespace

DiskJob::DiskJob(std::shared_ptr<Census> census, uint64_t token,
                 std::vector<std::weak_ptr<Resource>> resources)
    : counted_(std::move(census), &Census::jobs), resources_(std::move(resources)), token_(token) {
}

bool DiskJob::Uses(const std::shared_ptr<Resource>& resource) const {
  return std::any_of(resources_.begin(), resources_.end(),
                     [&](const auto& used) { return IsSame(used, resource); });
}

void DiskJob::Cancel() {
  cancelled_.store(true);
  Nudge();
}

void DiskJob::MarkOrphan() {
  if (!orphaned_) orphaned_.emplace(counted_.census(), &Census::orphans);
}

bool Cursor::IsOwnPosition() const {
  return offset_ == kOwnPosition;
}

void Cursor::Advance(int64_t bytes) {
  if (!IsOwnPosition()) offset_ += bytes;
}

PumpJob::PumpJob(std::shared_ptr<Census> census, uint64_t token, std::vector<PumpStep> steps,
                 int64_t source_offset, int64_t sink_offset)
    : DiskJob(std::move(census), token, Used(steps)),
      steps_(std::move(steps)),
      source_cursor_(source_offset),
      sink_cursor_(sink_offset) {
}

int PumpJob::Run(JobHost* /*host*/) {
  for (const PumpStep& step : steps_) {
    uint64_t left = step.length;
    while (left > 0) {
      const int64_t moved = MoveSome(step, left);
      if (moved < 0) return static_cast<int>(-moved);
      if (moved == 0) return 0;  // the end of the source
      left -= static_cast<uint64_t>(moved);
    }
  }
  return 0;
}

/// One call that moves up to `length` bytes. What it moved, or −errno.
int64_t PumpJob::MoveSome(const PumpStep& step, uint64_t length) {
  if (cancelled()) return -ECANCELED;
  const int64_t moved = Move(*step.source, source_cursor_.offset(), *step.sink,
                             sink_cursor_.offset(), std::min(length, kStepBytes), false);
  if (moved <= 0) return moved;
  source_cursor_.Advance(moved);
  sink_cursor_.Advance(moved);
  Add(moved);
  return moved;
}

void PumpJob::Release() {
  steps_.clear();
}

CarryJob::CarryJob(std::shared_ptr<Census> census, uint64_t token,
                   std::shared_ptr<Descriptor> source, int64_t source_offset,
                   std::shared_ptr<Pipe> pipe, std::shared_ptr<Endpoint> sink, int64_t sink_offset,
                   uint64_t length, uint64_t burst, int gathered, int patience_milliseconds)
    : DiskJob(std::move(census), token, Used(source, pipe, sink)),
      source_(std::move(source)),
      pipe_(std::move(pipe)),
      sink_(std::move(sink)),
      source_cursor_(source_offset),
      sink_cursor_(sink_offset),
      length_(length),
      burst_(burst),
      gathered_(gathered),
      patience_milliseconds_(patience_milliseconds) {
}

int CarryJob::Run(JobHost* host) {
  begun_ = std::chrono::steady_clock::now();
  const int error = CarryOn(host);
  SetLowWater(1);
  return error;
}

int CarryJob::CarryOn(JobHost* host) {
  bool has_waited = false;
  while (done() < length_) {
    if (cancelled()) return ECANCELED;
    const uint64_t held = held_;
    const Relayed step = Attempt(std::min(length_ - done(), kStepBytes));
    if (step.moved > 0) Add(static_cast<int64_t>(step.moved));
    if (step.error == 0 && step.moved == 0) return 0;  // the end of the source
    if (step.error != 0 && step.error != EAGAIN) return step.error;
    const bool is_quiet = has_waited && step.moved == 0 && step.held == held;
    has_waited = step.error == EAGAIN;
    if (has_waited ? is_quiet || !Await(host) : IsOver(host, kTurnMilliseconds)) {
      return cancelled() ? ECANCELED : step.error;
    }
  }
  return 0;
}

/// Whether it has stayed long enough: for a thread that nobody else wants, or, after so many
/// milliseconds, for one that somebody wants.
bool CarryJob::IsOver(JobHost* host, int turn_milliseconds) const {
  const auto stayed = std::chrono::steady_clock::now() - begun_;
  if (stayed > std::chrono::milliseconds(kStayMilliseconds)) return true;
  return stayed >= std::chrono::milliseconds(turn_milliseconds) && host->IsWanted();
}

/// What one attempt came to. Moves the cursors.
Relayed CarryJob::Attempt(uint64_t length) {
  if (pipe_) return ThroughPipe(length);
  const int64_t moved = Move(*source_, source_cursor_.offset(), *sink_, sink_cursor_.offset(),
                             std::min(length, burst_), false);
  if (moved < 0) return {0, 0, static_cast<int>(-moved)};
  source_cursor_.Advance(moved);
  sink_cursor_.Advance(moved);
  return {static_cast<uint64_t>(moved), 0, 0};
}

/// An attempt through the pipe.
Relayed CarryJob::ThroughPipe(uint64_t length) {
  if (held_ == 0) {
    const int64_t filled = Fill(*source_, source_cursor_.offset(), *pipe_, length);
    if (filled <= 0) return {0, 0, static_cast<int>(-filled)};
    source_cursor_.Advance(filled);
    held_ = static_cast<uint64_t>(filled);
  }
  const Relayed step = Drain(*pipe_, held_, *sink_, sink_cursor_.offset(), burst_);
  sink_cursor_.Advance(static_cast<int64_t>(step.moved));
  held_ = step.held;
  return step;
}

/// Waits a little for the side that may block. Whether it could.
bool CarryJob::Await(JobHost* host) {
  // In this order: who comes after the question finds something to write to.
  if (!OpenWake() || IsOver(host, 0)) return false;
  // Without a pipe of ours between, EAGAIN does not say which side it is.
  if (held_ == 0) AwaitSource();
  if (held_ > 0 || !pipe_) AwaitReady(*sink_, POLLOUT, wake_.get(), patience_milliseconds_);
  return true;
}

void CarryJob::AwaitSource() {
  const uint64_t left = length_ - done();
  SetLowWater(left < static_cast<uint64_t>(gathered_) ? static_cast<int>(left) : gathered_);
  AwaitReady(*source_, POLLIN, wake_.get(), patience_milliseconds_);
}

void CarryJob::SetLowWater(int bytes) {
  if (bytes != low_water_ && source_->SetLowWater(bytes) == 0) low_water_ = bytes;
}

bool CarryJob::OpenWake() {
  if (wake_) return true;
  const std::lock_guard<std::mutex> lock(mutex_);
  wake_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (cancelled()) return false;  // perhaps before there was something to write to
  return static_cast<bool>(wake_);
}

void CarryJob::Nudge() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!wake_) return;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof one);
}

void CarryJob::Release() {
  source_.reset();
  pipe_.reset();
  sink_.reset();
  const std::lock_guard<std::mutex> lock(mutex_);
  wake_.Reset();
}

bool TargetMemory::Store(size_t offset, const uint8_t* from, size_t count) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (bytes_ == nullptr) return false;
  std::memcpy(bytes_ + offset, from, count);
  return true;
}

void TargetMemory::Withdraw() {
  if (is_kept_) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  bytes_ = nullptr;
}

ReadJob::ReadJob(std::shared_ptr<Census> census, uint64_t token, std::shared_ptr<Descriptor> file,
                 int64_t offset, uint8_t* target, size_t length, std::shared_ptr<void> keeper)
    : DiskJob(std::move(census), token, {file->origin()}),
      file_(std::move(file)),
      cursor_(offset),
      target_(target, length, std::move(keeper)) {
}

int ReadJob::Run(JobHost* /*host*/) {
  std::unique_ptr<uint8_t[]> bounce;
  if (target_.Direct(0) == nullptr) {
    bounce.reset(new (std::nothrow) uint8_t[std::min(target_.length(), kStepBytes)]);
    if (!bounce) return ENOMEM;
  }
  while (done() < target_.length()) {
    if (cancelled()) return ECANCELED;
    uint8_t* const into = bounce ? bounce.get() : target_.Direct(done());
    const size_t step = std::min(target_.length() - done(), kStepBytes);
    const int64_t count = ReadFile(file_->fd(), cursor_, into, step);
    if (count < 0) return static_cast<int>(-count);
    if (count == 0) break;
    if (bounce && !target_.Store(done(), into, static_cast<size_t>(count))) return ECANCELED;
    cursor_.Advance(count);
    Add(count);
  }
  return 0;
}

void ReadJob::Release() {
  file_.reset();
  target_.Release();
}

WriteJob::WriteJob(std::shared_ptr<Census> census, uint64_t token, std::shared_ptr<Descriptor> file,
                   int64_t offset, const uint8_t* bytes, size_t length,
                   std::shared_ptr<void> keeper)
    : DiskJob(std::move(census), token, {file->origin()}),
      file_(std::move(file)),
      cursor_(offset),
      bytes_(bytes),
      length_(length),
      keeper_(std::move(keeper)) {
}

int WriteJob::Run(JobHost* /*host*/) {
  while (done() < length_) {
    if (cancelled()) return ECANCELED;
    const int64_t count =
        WriteFile(file_->fd(), cursor_, bytes_ + done(), std::min(length_ - done(), kStepBytes));
    if (count < 0) return static_cast<int>(-count);
    if (count == 0) return EIO;  // a device that takes nothing would be asked for ever
    cursor_.Advance(count);
    Add(count);
  }
  return 0;
}

void WriteJob::Release() {
  file_.reset();
  keeper_.reset();
}

SyncJob::SyncJob(std::shared_ptr<Census> census, uint64_t token, std::shared_ptr<Descriptor> file,
                 bool data_only)
    : DiskJob(std::move(census), token, {file->origin()}),
      file_(std::move(file)),
      data_only_(data_only) {
}

int SyncJob::Run(JobHost* /*host*/) {
  if (cancelled()) return ECANCELED;
  const int64_t result = RetryInterrupted(
      [this] { return data_only_ ? Calls().fdatasync(file_->fd()) : Calls().fsync(file_->fd()); });
  return static_cast<int>(-result);
}

void SyncJob::Release() {
  file_.reset();
}

CacheJob::CacheJob(std::shared_ptr<Census> census, uint64_t token, std::shared_ptr<Descriptor> file,
                   Step step, int64_t offset, int64_t length)
    : DiskJob(std::move(census), token, {file->origin()}),
      file_(std::move(file)),
      step_(step),
      offset_(offset),
      length_(length) {
}

int CacheJob::Run(JobHost* /*host*/) {
  constexpr unsigned kSettleFlags =
      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  const int64_t result = RetryInterrupted([this] {
    const int fd = file_->fd();
    if (step_ == Step::kDrop) {
      return Calls().posix_fadvise(fd, offset_, length_, POSIX_FADV_DONTNEED);
    }
    const unsigned flags = step_ == Step::kSettle ? kSettleFlags : SYNC_FILE_RANGE_WRITE;
    return Calls().sync_file_range(fd, offset_, length_, flags);
  });
  return static_cast<int>(-result);
}

void CacheJob::Release() {
  file_.reset();
}

}  // namespace splicelist
