#ifndef SPLICELIST_NATIVE_WAKER_H_
#define SPLICELIST_NATIVE_WAKER_H_

#include <functional>

namespace splicelist {

/// Calls the environment, on its own thread, when the epoll set has something to tell.
///
/// There are two: LoopWaker costs nothing and needs libuv; ThreadWaker costs a thread and a hop
/// between threads, and needs nothing but Node-API. Both belong to the environment and are used on
/// its thread only.
class Waker {
 public:
  /// What to call.
  using Callback = std::function<void()>;

  Waker() = default;
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;
  virtual ~Waker() = default;

  /// Whether the process should stay alive for the next wake. Not at first.
  virtual void Hold(bool hold) = 0;
  /// Ends it: nothing is called any more but `closed`, once all it had is gone, now or later. After
  /// this the epoll set may be closed. Once.
  virtual void Close(Callback closed) = 0;
};

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_WAKER_H_
