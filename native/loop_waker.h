#ifndef SPLICELIST_NATIVE_LOOP_WAKER_H_
#define SPLICELIST_NATIVE_LOOP_WAKER_H_

#include <node_api.h>

#include <memory>

#include "waker.h"

namespace splicelist {

/// Wakes by one `uv_poll` on the epoll set's own descriptor: the event loop itself notices.
///
/// For Node, where libuv's calls are what they seem. No thread; a wake costs what any descriptor
/// costs the loop.
class LoopWaker final : public Waker {
 public:
  /// Watches `epoll_fd` on the loop of `env`. Null, and `error` is −errno, when that fails.
  static std::shared_ptr<Waker> Start(napi_env env, int epoll_fd, Callback wake, int* error);

  void Hold(bool hold) override;
  void Close(Callback closed) override;

 private:
  struct Watch;

  explicit LoopWaker(Watch* watch) : watch_(watch) {}

  Watch* watch_;  // libuv's for a while after Close, then it deletes itself
};

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_LOOP_WAKER_H_
