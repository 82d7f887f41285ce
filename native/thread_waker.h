#ifndef SPLICELIST_NATIVE_THREAD_WAKER_H_
#define SPLICELIST_NATIVE_THREAD_WAKER_H_

#include <node_api.h>
#include <pthread.h>

#include <atomic>
#include <memory>

#include "unique_fd.h"
#include "waker.h"

namespace splicelist {

/// Wakes by a thread that polls the epoll set and a thread-safe function that it calls.
///
/// For runtimes where libuv's calls are unsafe (Bun). The thread only ever sleeps in `poll`, so it
/// ends, and is joined, at once; after a wake it looks away until the environment has taken what
/// there was. About 50 µs of processor time a wake.
class ThreadWaker final : public Waker, public std::enable_shared_from_this<ThreadWaker> {
 public:
  /// Watches `epoll_fd` from a new thread. Null, and `error` is −errno, when that fails.
  static std::shared_ptr<Waker> Start(napi_env env, int epoll_fd, Callback wake, int* error);

  ~ThreadWaker() override;
  void Hold(bool hold) override;
  void Close(Callback closed) override;

 private:
  ThreadWaker(napi_env env, int epoll_fd, Callback wake);

  static void OnCall(napi_env env, napi_value callback, void* context, void* data);
  static void* RunThread(void* waker);
  int64_t Open();
  void Watch();
  void Tell() const;
  void StopThread();

  const napi_env env_;
  const int epoll_fd_;
  const Callback wake_;
  UniqueFd control_;  // tells the thread to look again, or to stop
  std::atomic<bool> stopping_{false};
  std::atomic<bool> refused_{false};  // the function is gone, and with it the thread's share of it
  napi_threadsafe_function function_ = nullptr;
  pthread_t thread_{};
  bool started_ = false;
};

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_THREAD_WAKER_H_
