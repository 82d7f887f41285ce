#include "disk_threads.h"

#include <pthread.h>
#include <semaphore.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "signals.h"
#include "unique_fd.h"

namespace splicelist {
namespace {

/// A thread that has nothing to do, and the job that it is given.
///
/// A semaphore each and not one condition variable for all: who waits for that takes the mutex
/// again before it may run, and leaves it so that letting go of it is a system call. And the thread
/// that was busy last is the one to be woken, for its stack is in the cache.
class Idler {
 public:
  Idler() { sem_init(&wake_, 0, 0); }
  Idler(const Idler&) = delete;
  Idler& operator=(const Idler&) = delete;
  ~Idler() { sem_destroy(&wake_); }

  /// Gives it a job, or null for the end. Call once for each wait, without the mutex: what it was
  /// written with is seen by whoever is woken.
  void Wake(std::shared_ptr<DiskJob> job) {
    job_ = std::move(job);
    sem_post(&wake_);
  }
  /// Whether it was woken within so many seconds.
  bool AwaitFor(int seconds) {
    timespec until{};
    clock_gettime(CLOCK_REALTIME, &until);  // the clock that sem_timedwait knows
    until.tv_sec += seconds;
    return Await([&] { return sem_timedwait(&wake_, &until); });
  }
  void Await() {
    Await([this] { return sem_wait(&wake_); });
  }
  std::shared_ptr<DiskJob> TakeJob() { return std::move(job_); }

 private:
  template <typename Wait>
  static bool Await(Wait wait) {
    int result = 0;
    do {
      result = wait();
    } while (result != 0 && errno == EINTR);
    return result == 0;
  }

  sem_t wake_{};
  std::shared_ptr<DiskJob> job_;
};

}  // namespace

/// What the environment and its disk threads share. Lives until the last of them is gone.
struct DiskThreads::Shared {
  std::mutex mutex;
  std::deque<std::shared_ptr<DiskJob>> queue;
  std::vector<std::shared_ptr<DiskJob>> running;
  std::deque<DiskReport> reports;
  std::vector<std::shared_ptr<Idler>> idle;  // the one that was busy last at the end
  UniqueFd wake;  // written to when the first report comes; open while a thread may do that
  size_t threads = 0;
  bool open = false;

  /// Adds a report. Whether it is the first, for which Signal is due. With the mutex held.
  bool Add(DiskReport report) {
    if (!open) return false;
    reports.push_back(std::move(report));
    return reports.size() == 1;
  }

  void Signal() const {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(wake.get(), &one, sizeof one);
  }

  /// The oldest job of the queue; null when there is none, and `thread` is idle then. With the
  /// mutex held.
  std::shared_ptr<DiskJob> Next(const std::shared_ptr<Idler>& thread) {
    if (queue.empty()) {
      idle.push_back(thread);
      return nullptr;
    }
    std::shared_ptr<DiskJob> job = std::move(queue.front());
    queue.pop_front();
    running.push_back(job);
    return job;
  }

  /// The first job of a new thread; null when it should end.
  std::shared_ptr<DiskJob> First(const std::shared_ptr<Idler>& thread);
  /// Reports the end of `job`. Returns the next; null when the thread should end.
  std::shared_ptr<DiskJob> Finish(std::shared_ptr<DiskJob> job, int error,
                                  const std::shared_ptr<Idler>& thread);
  /// Waits for a job; null when there is none and the thread should end.
  std::shared_ptr<DiskJob> Wait(const std::shared_ptr<Idler>& thread);
  /// Runs jobs until there are none.
  void Work();
};

/// What a job asks of the thread that it runs on.
class DiskThreads::Host final : public JobHost {
 public:
  explicit Host(Shared* shared) : shared_(shared) {}

  bool IsWanted() override {
    const std::lock_guard<std::mutex> lock(shared_->mutex);
    return !shared_->queue.empty() || !shared_->open;
  }

 private:
  Shared* const shared_;
};

std::shared_ptr<DiskJob> DiskThreads::Shared::Finish(std::shared_ptr<DiskJob> job, int error,
                                                     const std::shared_ptr<Idler>& thread) {
  std::unique_lock<std::mutex> lock(mutex);
  running.erase(std::find(running.begin(), running.end(), job));
  if (!open) return nullptr;
  const uint64_t done = job->done();
  const bool is_first = Add({std::move(job), done, error});
  // Before the signal: whoever it wakes may have the next job at once, and finds a thread for it.
  std::shared_ptr<DiskJob> next = Next(thread);
  lock.unlock();
  if (is_first) Signal();
  return next ? next : Wait(thread);
}

std::shared_ptr<DiskJob> DiskThreads::Shared::Wait(const std::shared_ptr<Idler>& thread) {
  if (!thread->AwaitFor(kIdleSeconds)) {
    std::unique_lock<std::mutex> lock(mutex);
    const auto found = std::find(idle.begin(), idle.end(), thread);
    if (found != idle.end()) {
      idle.erase(found);
      return nullptr;
    }
    lock.unlock();
    thread->Await();  // it was chosen meanwhile
  }
  return thread->TakeJob();
}

std::shared_ptr<DiskJob> DiskThreads::Shared::First(const std::shared_ptr<Idler>& thread) {
  std::unique_lock<std::mutex> lock(mutex);
  if (!open) return nullptr;
  std::shared_ptr<DiskJob> first = Next(thread);
  lock.unlock();
  return first ? first : Wait(thread);  // another thread may have been faster
}

void DiskThreads::Shared::Work() {
  // Shared with whoever wakes it, who may not be done with it when this ends.
  const auto self = std::make_shared<Idler>();
  std::shared_ptr<DiskJob> job = First(self);
  Host host(this);
  while (job) {
    const int error = job->Run(&host);
    job->Release();
    job = Finish(std::move(job), error, self);
  }
  const std::lock_guard<std::mutex> lock(mutex);
  --threads;
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
  std::vector<std::shared_ptr<Idler>> idle;
  {
    const std::lock_guard<std::mutex> lock(shared_->mutex);
    shared_->open = false;
    queued.swap(shared_->queue);
    reports.swap(shared_->reports);
    idle.swap(shared_->idle);
    for (const auto& job : shared_->running) job->Cancel();
  }
  for (const auto& thread : idle) thread->Wake(nullptr);
  shared_ = std::make_shared<Shared>();  // what was shared ends with its last thread
}

int DiskThreads::wake_fd() const {
  return shared_->wake.get();
}

int64_t DiskThreads::Submit(std::shared_ptr<DiskJob> job) {
  std::unique_lock<std::mutex> lock(shared_->mutex);
  if (!shared_->open) return -EBADF;
  if (!shared_->idle.empty()) {
    const std::shared_ptr<Idler> thread = std::move(shared_->idle.back());
    shared_->idle.pop_back();
    shared_->running.push_back(job);
    // The woken thread must not run into the mutex: it would go to sleep a second time.
    lock.unlock();
    thread->Wake(std::move(job));
    return 0;
  }
  const bool is_full = shared_->threads == kThreadsMax;
  if (!is_full && !StartThread() && shared_->threads == 0) return -EAGAIN;
  shared_->queue.push_back(std::move(job));
  if (!is_full) return 0;
  for (const auto& running : shared_->running) running->Nudge();
  return 0;
}

bool DiskThreads::HasSpare() const {
  const std::lock_guard<std::mutex> lock(shared_->mutex);
  return shared_->queue.size() + shared_->running.size() < kCarriersMax;
}

void DiskThreads::Cancel(const std::shared_ptr<DiskJob>& job) {
  job->Cancel();
  std::unique_lock<std::mutex> lock(shared_->mutex);
  const auto queued = std::find(shared_->queue.begin(), shared_->queue.end(), job);
  if (queued == shared_->queue.end()) return;
  shared_->queue.erase(queued);
  job->Release();
  const bool is_first = shared_->Add({job, 0, ECANCELED});
  lock.unlock();
  if (is_first) shared_->Signal();
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
  shared->Work();
  return nullptr;
}

}  // namespace splicelist
