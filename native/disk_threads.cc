#include "disk_threads.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "signals.h"
#include "unique_fd.h"

namespace splicelist {

using Clock = std::chrono::steady_clock;

/// What the environment and its disk threads share. Lives until the last of them is gone.
struct DiskThreads::Shared {
  std::mutex mutex;
  std::condition_variable has_work;
  std::deque<std::shared_ptr<DiskJob>> queue;
  std::vector<std::shared_ptr<DiskJob>> running;
  std::deque<DiskReport> reports;
  UniqueFd wake;  // written to when the first report comes; open while a thread may do that
  size_t threads = 0;
  size_t idle = 0;
  bool open = false;

  /// Adds a report. With the mutex held.
  void Post(DiskReport report) {
    if (!open) return;
    reports.push_back(std::move(report));
    if (reports.size() == 1) Signal();
  }

  /// Brings the progress of `job` up to date, in the report that waits or in a new one.
  void PostProgress(const std::shared_ptr<DiskJob>& job, uint64_t done) {
    const std::lock_guard<std::mutex> lock(mutex);
    for (DiskReport& report : reports) {
      if (report.job != job) continue;
      report.done = done;
      return;
    }
    Post({job, false, done, 0});
  }

  void Signal() const {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(wake.get(), &one, sizeof one);
  }

  /// Waits for a job; null when there is none and the thread should end.
  std::shared_ptr<DiskJob> Next(std::unique_lock<std::mutex>* lock) {
    ++idle;
    has_work.wait_for(*lock, std::chrono::seconds(kIdleSeconds),
                      [this] { return !open || !queue.empty(); });
    --idle;
    if (!open || queue.empty()) return nullptr;
    std::shared_ptr<DiskJob> job = std::move(queue.front());
    queue.pop_front();
    running.push_back(job);
    return job;
  }

  /// Runs `job` without the mutex, and reports its end.
  void Run(std::shared_ptr<DiskJob> job, std::unique_lock<std::mutex>* lock);
};

/// What a job asks of the thread that it runs on.
class DiskThreads::Host final : public JobHost {
 public:
  Host(Shared* shared, const std::shared_ptr<DiskJob>& job) : shared_(shared), job_(job) {}

  void Progress(uint64_t done) override {
    const Clock::time_point now = Clock::now();
    if (now - reported_ < std::chrono::milliseconds(kProgressMilliseconds)) return;
    reported_ = now;
    shared_->PostProgress(job_, done);
  }
  bool IsWanted() override {
    const std::lock_guard<std::mutex> lock(shared_->mutex);
    return !shared_->queue.empty() || !shared_->open;
  }

 private:
  Shared* const shared_;
  const std::shared_ptr<DiskJob>& job_;
  Clock::time_point reported_ = Clock::now();
};

void DiskThreads::Shared::Run(std::shared_ptr<DiskJob> job, std::unique_lock<std::mutex>* lock) {
  lock->unlock();
  Host host(this, job);
  const int error = job->Run(&host);
  job->Release();
  lock->lock();
  running.erase(std::find(running.begin(), running.end(), job));
  const uint64_t done = job->done();
  if (!open) return;
  reports.push_back({std::move(job), true, done, error});
  if (reports.size() > 1) return;
  // Signalled without the mutex, or the woken thread would run into it.
  lock->unlock();
  Signal();
  lock->lock();
}

DiskThreads::DiskThreads() : shared_(std::make_shared<Shared>()) {
}

DiskThreads::~DiskThreads() {
  Close();
}

int64_t DiskThreads::Open() {
  shared_->wake.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!shared_->wake) return -errno;
  shared_->open = true;
  return 0;
}

void DiskThreads::Close() {
  std::deque<std::shared_ptr<DiskJob>> queued;
  std::deque<DiskReport> reports;
  {
    const std::lock_guard<std::mutex> lock(shared_->mutex);
    shared_->open = false;
    queued.swap(shared_->queue);
    reports.swap(shared_->reports);
    for (const auto& job : shared_->running) job->Cancel();
  }
  shared_->has_work.notify_all();
  shared_ = std::make_shared<Shared>();  // what was shared ends with its last thread
}

int DiskThreads::wake_fd() const {
  return shared_->wake.get();
}

int64_t DiskThreads::Submit(std::shared_ptr<DiskJob> job) {
  std::unique_lock<std::mutex> lock(shared_->mutex);
  if (!shared_->open) return -EBADF;
  const bool all_busy = shared_->queue.size() >= shared_->idle;
  if (all_busy && shared_->threads < kThreadsMax && !StartThread() && shared_->threads == 0) {
    return -EAGAIN;
  }
  shared_->queue.push_back(std::move(job));
  if (all_busy && shared_->threads == kThreadsMax) {
    for (const auto& running : shared_->running) running->Nudge();
  }
  // The woken thread must not run into the lock: it would go to sleep a second time.
  lock.unlock();
  shared_->has_work.notify_one();
  return 0;
}

bool DiskThreads::HasSpare() const {
  const std::lock_guard<std::mutex> lock(shared_->mutex);
  return shared_->queue.size() + shared_->running.size() < kCarriersMax;
}

void DiskThreads::Cancel(const std::shared_ptr<DiskJob>& job) {
  job->Cancel();
  const std::lock_guard<std::mutex> lock(shared_->mutex);
  const auto queued = std::find(shared_->queue.begin(), shared_->queue.end(), job);
  if (queued == shared_->queue.end()) return;
  shared_->queue.erase(queued);
  job->Release();
  shared_->Post({job, true, 0, ECANCELED});
}

bool DiskThreads::Take(DiskReport* report) {
  const std::lock_guard<std::mutex> lock(shared_->mutex);
  if (shared_->reports.empty()) return false;
  *report = std::move(shared_->reports.front());
  shared_->reports.pop_front();
  return true;
}

void DiskThreads::Remind() const {
  const std::lock_guard<std::mutex> lock(shared_->mutex);
  if (!shared_->reports.empty()) shared_->Signal();
}

/// With the mutex held: the new thread waits for it.
bool DiskThreads::StartThread() {
  auto* const argument = new std::shared_ptr<Shared>(shared_);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  int error = 0;
  {
    const SignalsBlocked blocked;
    error = pthread_create(&thread, &attributes, RunThread, argument);
  }
  pthread_attr_destroy(&attributes);
  if (error != 0) {
    delete argument;
    return false;
  }
  ++shared_->threads;
  return true;
}

void* DiskThreads::RunThread(void* argument) {
  auto* const given = static_cast<std::shared_ptr<Shared>*>(argument);
  const std::shared_ptr<Shared> shared = std::move(*given);
  delete given;
  std::unique_lock<std::mutex> lock(shared->mutex);
  while (std::shared_ptr<DiskJob> job = shared->Next(&lock)) shared->Run(std::move(job), &lock);
  --shared->threads;
  return nullptr;
}

}  // namespace splicelist
