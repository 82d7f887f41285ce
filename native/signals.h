#ifndef SPLICELIST_NATIVE_SIGNALS_H_
#define SPLICELIST_NATIVE_SIGNALS_H_

#include <pthread.h>
#include <csignal>

namespace splicelist {

/// Blocks all signals in the calling thread for as long as it lives, so that a thread started
/// meanwhile inherits that: signals are the business of Node's own threads, and a write to a broken
/// pipe from ours must report EPIPE. Two system calls.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_SIGNALS_H_
