#include "thread_waker.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>

#include "signals.h"

namespace splicelist {

std::shared_ptr<Waker> ThreadWaker::Start(napi_env env, int epoll_fd, Callback wake, int* error) {
  std::shared_ptr<ThreadWaker> waker(new ThreadWaker(env, epoll_fd, std::move(wake)));
  *error = static_cast<int>(waker->Open());
  if (*error != 0) return nullptr;
  return waker;
}

ThreadWaker::ThreadWaker(napi_env env, int epoll_fd, Callback wake)
    : env_(env), epoll_fd_(epoll_fd), wake_(std::move(wake)) {
}

ThreadWaker::~ThreadWaker() {
  StopThread();
}

int64_t ThreadWaker::Open() {
  control_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!control_) return -errno;
  napi_value name = nullptr;
  napi_create_string_utf8(env_, "splicelist", NAPI_AUTO_LENGTH, &name);
  const napi_status status = napi_create_threadsafe_function(
      env_, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, OnCall, &function_);
  if (status != napi_ok) return -ENOTSUP;
  napi_unref_threadsafe_function(env_, function_);
  const SignalsBlocked blocked;
  const int error = pthread_create(&thread_, nullptr, RunThread, this);
  started_ = error == 0;
  if (!started_) StopThread();
  return -error;
}

void* ThreadWaker::RunThread(void* waker) {
  static_cast<ThreadWaker*>(waker)->Watch();
  return nullptr;
}

/// The thread: looks at the epoll set, calls once when it is readable, and looks again when told.
void ThreadWaker::Watch() {
  bool looking = true;
  while (!stopping_.load(std::memory_order_acquire)) {
    pollfd watched[2] = {{control_.get(), POLLIN, 0}, {looking ? epoll_fd_ : -1, POLLIN, 0}};
    if (poll(watched, 2, -1) < 0) continue;
    if (watched[0].revents != 0) {
      uint64_t count = 0;
      [[maybe_unused]] const ssize_t taken = read(control_.get(), &count, sizeof count);
      looking = true;
    } else if (watched[1].revents != 0) {
      looking = false;
      if (napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking) != napi_ok) {
        refused_.store(true, std::memory_order_release);
        return;
      }
    }
  }
}

/// On the environment's thread. Without an environment it is late, and `context` may be gone.
void ThreadWaker::OnCall(napi_env env, napi_value /*callback*/, void* context, void* /*data*/) {
  if (env == nullptr) return;
  // Held, because the environment may close it meanwhile.
  const std::shared_ptr<ThreadWaker> waker = static_cast<ThreadWaker*>(context)->shared_from_this();
  waker->wake_();
  if (waker->started_) waker->Tell();
}

void ThreadWaker::Tell() const {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(control_.get(), &one, sizeof one);
}

void ThreadWaker::StopThread() {
  stopping_.store(true, std::memory_order_release);
  if (started_) {
    Tell();
    pthread_join(thread_, nullptr);
    started_ = false;
  }
  if (function_ != nullptr && !refused_.load(std::memory_order_acquire)) {
    napi_release_threadsafe_function(function_, napi_tsfn_abort);
  }
  function_ = nullptr;
}

void ThreadWaker::Hold(bool hold) {
  if (function_ == nullptr) return;
  if (hold) {
    napi_ref_threadsafe_function(env_, function_);
  } else {
    napi_unref_threadsafe_function(env_, function_);
  }
}

void ThreadWaker::Close(Callback closed) {
  StopThread();
  closed();
}

}  // namespace splicelist
