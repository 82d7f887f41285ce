#include "environment.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "loop_waker.h"
#include "slab.h"
#include "thread_waker.h"

namespace splicelist {
namespace {

constexpr int kEventReady = 0;
constexpr int kEventDone = 1;

size_t IndexOf(const Resource& resource) {
  return static_cast<size_t>(resource.kind());
}

}  // namespace

Environment::Environment(napi_env env) : env_(env) {
}

Environment::~Environment() {
  tearing_down_ = true;  // JavaScript has ended already
  Close();
}

int64_t Environment::Open(napi_value on_events, napi_value events, WakerKind kind) {
  if (open_) return -EALREADY;
  const int64_t result = OpenSources(kind);
  if (result < 0) {
    poller_.Close();
    disk_threads_.Close();
    return result;
  }
  napi_create_reference(env_, on_events, 1, &on_events_);
  napi_create_reference(env_, events, 1, &events_);
  if (context_ == nullptr) {
    napi_value name = nullptr;
    napi_create_string_utf8(env_, "splicelist", NAPI_AUTO_LENGTH, &name);
    napi_async_init(env_, nullptr, name, &context_);
  }
  // After the waker, so that at the end of the environment this runs before its hooks.
  napi_add_async_cleanup_hook(env_, OnTeardown, this, &hook_);
  open_ = true;
  closed_ = false;
  return 0;
}

int64_t Environment::OpenSources(WakerKind kind) {
  int64_t result = disk_threads_.Open();
  if (result == 0) result = poller_.Open();
  if (result == 0) result = poller_.AddWake(disk_threads_.wake_fd(), Poller::Repeat::kOnce);
  if (result == 0) result = StartWaker(kind);
  return result;
}

int64_t Environment::StartWaker(WakerKind kind) {
  int error = 0;
  const auto wake = [this] { OnWake(); };
  waker_ = kind == WakerKind::kLoop ? LoopWaker::Start(env_, poller_.fd(), wake, &error)
                                    : ThreadWaker::Start(env_, poller_.fd(), wake, &error);
  return error;
}

void Environment::Close() {
  closed_ = true;
  EndJobs();
  EndHandles();
  null_.Reset();
  if (!open_) return;
  open_ = false;
  EndWaker();
  relays_.Clear();
  notices_.Close();
  poller_.Close();
  disk_threads_.Close();
  napi_delete_reference(env_, on_events_);
  napi_delete_reference(env_, events_);
  if (!waking_) EndContext();
}

void Environment::EndContext() {
  if (context_ != nullptr) napi_async_destroy(env_, context_);
  context_ = nullptr;
}

void Environment::EndJobs() {
  for (auto& [token, pending] : jobs_) {
    pending.job->MarkOrphan();
    pending.job->Withdraw();
    if (pending.target != nullptr) napi_delete_reference(env_, pending.target);
  }
  jobs_.clear();
}

void Environment::EndHandles() {
  for (auto& handles : handles_) {
    while (!handles.empty()) Detach(*handles.begin(), true);
  }
}

void Environment::EndWaker() {
  auto* const hook = std::exchange(hook_, nullptr);
  const auto waker = std::exchange(waker_, nullptr);
  held_ = false;
  waker->Close([hook] { napi_remove_async_cleanup_hook(hook); });
}

void Environment::OnTeardown(napi_async_cleanup_hook_handle /*hook*/, void* environment) {
  auto* const self = static_cast<Environment*>(environment);
  self->tearing_down_ = true;
  self->Close();
}

void Environment::Add(Handle* handle) {
  handles_[IndexOf(*handle->resource())].insert(handle);
  known_.insert(handle);
}

void Environment::Collected(Handle* handle) {
  Detach(handle, false);
  known_.erase(handle);
}

void Environment::Drop(Handle* handle) {
  Detach(handle, true);
}

void Environment::Detach(Handle* handle, bool with_view) {
  const std::shared_ptr<Resource> resource = handle->Take();
  if (!resource) return;
  handles_[IndexOf(*resource)].erase(handle);
  for (auto& [token, pending] : jobs_) {
    if (pending.job->Uses(resource)) pending.job->MarkOrphan();
  }
  if (resource->kind() == Resource::Kind::kDescriptor) {
    EndNotices(static_cast<const Descriptor&>(*resource));
    poller_.Forget(static_cast<const Descriptor&>(*resource));
    UpdateHold();
  } else if (resource->kind() == Resource::Kind::kSlab && !tearing_down_) {
    auto& slab = static_cast<Slab&>(*resource);
    with_view ? slab.End(env_) : slab.Forget(env_);
  }
}

int64_t Environment::Wait(const Descriptor& descriptor, uint32_t mask, uint64_t token) {
  if (!open_) return -EBADF;
  const int64_t result = poller_.Arm(descriptor, mask, token);
  UpdateHold();
  return result;
}

void Environment::Unwait(const Descriptor& descriptor) {
  poller_.Disarm(descriptor);
  UpdateHold();
}

int64_t Environment::WatchNotices(const Descriptor& descriptor, uint64_t token) {
  if (!open_) return -EBADF;
  if (notices_.fd() < 0) {
    int64_t result = notices_.Open();
    if (result == 0) result = poller_.AddWake(notices_.fd(), Poller::Repeat::kEachTime);
    if (result < 0) {
      notices_.Close();
      return result;
    }
  }
  return notices_.Arm(descriptor, kNoticed, token, Poller::Repeat::kEachTime);
}

void Environment::EndNotices(const Descriptor& descriptor) {
  notices_.Forget(descriptor);
  // Its descriptor is for the rare time that somebody waits.
  if (notices_.armed() == 0) notices_.Close();
}

int64_t Environment::StartRelay(uint64_t token, std::shared_ptr<Descriptor> source,
                                std::shared_ptr<Descriptor> sink, uint64_t length) {
  if (!open_) return -EBADF;
  const int64_t result = relays_.Start(token, std::move(source), std::move(sink), length);
  UpdateHold();
  return result;
}

int64_t Environment::EndRelay(uint64_t token) {
  const int64_t result = relays_.End(token);
  UpdateHold();
  return result;
}

int64_t Environment::Submit(const std::shared_ptr<DiskJob>& job, napi_value target) {
  if (!open_) return -EBADF;
  if (jobs_.count(job->token()) != 0) return -EEXIST;
  const int64_t result = disk_threads_.Submit(job);
  if (result < 0) return result;
  PendingJob& pending = jobs_[job->token()];
  pending.job = job;
  if (target != nullptr) napi_create_reference(env_, target, 1, &pending.target);
  UpdateHold();
  return 0;
}

void Environment::Cancel(uint64_t token) {
  const auto found = jobs_.find(token);
  if (found != jobs_.end()) disk_threads_.Cancel(found->second.job);
}

std::shared_ptr<void> Environment::KeeperOf(const uint8_t* address) const {
  for (const Handle* const handle : handles_[static_cast<size_t>(Resource::Kind::kSlab)]) {
    const auto& slab = static_cast<const Slab&>(*handle->resource());
    if (slab.mapping()->Contains(address)) return slab.mapping();
  }
  return nullptr;
}

int64_t Environment::NullFd() {
  if (!null_) null_.Reset(open("/dev/null", O_WRONLY | O_CLOEXEC));
  return null_ ? null_.get() : -errno;
}

void Environment::OnWake() {
  waking_ = true;
  bool more = true;
  for (int round = 0; round < kRoundsMax && open_ && more; ++round) {
    napi_handle_scope scope = nullptr;
    if (napi_open_handle_scope(env_, &scope) != napi_ok) break;
    const size_t count = Collect(CurrentRecords());
    // A job may have ended meanwhile, and a look is cheaper than another turn of the loop; without
    // one it would be a call for nothing.
    more = count > 0 && CallJavaScript(count) && !jobs_.empty();
    napi_close_handle_scope(env_, scope);
  }
  waking_ = false;
  if (!open_) EndContext();
  disk_threads_.Remind();
}

Environment::Records Environment::CurrentRecords() const {
  napi_value array = nullptr;
  void* numbers = nullptr;
  size_t length = 0;
  napi_get_reference_value(env_, events_, &array);
  napi_get_typedarray_info(env_, array, nullptr, &length, &numbers, nullptr, nullptr);
  return {static_cast<double*>(numbers), length / kRecordNumbers};
}

void Environment::Records::Put(size_t index, uint64_t token, int type, uint64_t value, int error,
                               uint64_t held) const {
  double* const record = numbers + index * kRecordNumbers;
  record[0] = static_cast<double>(token);
  record[1] = type;
  record[2] = static_cast<double>(value);
  record[3] = error;
  record[4] = static_cast<double>(held);
}

size_t Environment::Collect(const Records& records) {
  ReadyEvent ready[Poller::kBatch];
  size_t found = poller_.Collect(ready, records.capacity);
  found += notices_.Collect(ready + found, std::min(records.capacity, Poller::kBatch) - found);
  const size_t told = CollectReady(records, ready, found);
  // After the set, which forgets a signal once it has told of it.
  const size_t count = CollectReports(records, told);
  UpdateHold();
  return count;
}

/// Puts waits that came true, and relays that are over; those that go on are nobody's business.
/// Returns how many records there are then.
size_t Environment::CollectReady(const Records& records, const ReadyEvent* ready, size_t found) {
  size_t count = 0;
  for (size_t i = 0; i < found; ++i) {
    const uint64_t token = ready[i].token;
    if (!relays_.Has(token)) {
      records.Put(count++, token, kEventReady, ready[i].mask, 0);
    } else if (const auto all = relays_.Serve(token)) {
      records.Put(count++, token, kEventDone, all->moved, all->error, all->held);
    }
  }
  return count;
}

/// Adds reports to the `count` records that are there. Returns how many there are then.
size_t Environment::CollectReports(const Records& records, size_t count) {
  DiskReport report;
  while (count < records.capacity && disk_threads_.Take(&report)) {
    records.Put(count++, report.job->token(), kEventDone, report.done, report.error);
    Finish(report.job->token());
  }
  return count;
}

void Environment::Finish(uint64_t token) {
  const auto found = jobs_.find(token);
  if (found == jobs_.end()) return;
  if (found->second.target != nullptr) napi_delete_reference(env_, found->second.target);
  jobs_.erase(found);
}

/// Calls `onEvents`, with the ticks and microtasks that follow a call from the outside. False when
/// it could not run, or threw.
bool Environment::CallJavaScript(size_t count) {
  napi_value receiver = nullptr;
  napi_value function = nullptr;
  napi_value argument = nullptr;
  napi_get_global(env_, &receiver);
  napi_get_reference_value(env_, on_events_, &function);
  napi_create_uint32(env_, static_cast<uint32_t>(count), &argument);
  if (napi_make_callback(env_, context_, receiver, function, 1, &argument, nullptr) == napi_ok) {
    return true;
  }
  bool thrown = false;
  napi_value error = nullptr;
  napi_is_exception_pending(env_, &thrown);
  if (thrown && napi_get_and_clear_last_exception(env_, &error) == napi_ok) {
    napi_fatal_exception(env_, error);
  }
  return false;
}

/// Keeps the process alive exactly while something is pending.
void Environment::UpdateHold() {
  const bool hold = poller_.armed() > 0 || !jobs_.empty();
  if (!open_ || hold == held_) return;
  held_ = hold;
  waker_->Hold(hold);
}

}  // namespace splicelist
