#include "loop_waker.h"

#include <uv.h>

#include <cerrno>
#include <utility>

namespace splicelist {

/// The handle, in memory that outlives the waker until libuv has let go of it.
struct LoopWaker::Watch {
  uv_poll_t handle{};
  Callback wake;
  Callback closed;

  uv_handle_t* base() { return reinterpret_cast<uv_handle_t*>(&handle); }

  static void OnPoll(uv_poll_t* handle, int /*status*/, int /*events*/) {
    static_cast<Watch*>(handle->data)->wake();
  }

  static void OnClosed(uv_handle_t* handle) {
    const std::unique_ptr<Watch> watch(static_cast<Watch*>(handle->data));
    if (watch->closed) watch->closed();
  }
};

std::shared_ptr<Waker> LoopWaker::Start(napi_env env, int epoll_fd, Callback wake, int* error) {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) {
    *error = -ENOTSUP;
    return nullptr;
  }
  auto watch = std::make_unique<Watch>();
  watch->handle.data = watch.get();
  *error = uv_poll_init(loop, &watch->handle, epoll_fd);
  if (*error != 0) return nullptr;
  watch->wake = std::move(wake);
  Watch* const started = watch.release();
  *error = uv_poll_start(&started->handle, UV_READABLE, Watch::OnPoll);
  if (*error != 0) {
    uv_close(started->base(), Watch::OnClosed);
    return nullptr;
  }
  uv_unref(started->base());
  return std::shared_ptr<Waker>(new LoopWaker(started));
}

void LoopWaker::Hold(bool hold) {
  if (watch_ == nullptr) return;
  if (hold) {
    uv_ref(watch_->base());
  } else {
    uv_unref(watch_->base());
  }
}

void LoopWaker::Close(Callback closed) {
  Watch* const watch = std::exchange(watch_, nullptr);
  watch->closed = std::move(closed);
  uv_poll_stop(&watch->handle);
  uv_close(watch->base(), Watch::OnClosed);
}

}  // namespace splicelist
