#ifndef SPLICELIST_NATIVE_SYSTEM_LIMITS_H_
#define SPLICELIST_NATIVE_SYSTEM_LIMITS_H_

#include <cstdint>

namespace splicelist {

/// What the system allows this process.
struct SystemLimits {
  /// Bytes of one page.
  int64_t page_bytes = 0;
  /// /proc/sys/fs/pipe-max-size.
  int64_t pipe_max_bytes = 0;
  /// /proc/sys/fs/pipe-user-pages-soft; 0 is no limit.
  int64_t user_pages_soft = 0;
  /// /proc/sys/fs/pipe-user-pages-hard; 0 is no limit.
  int64_t user_pages_hard = 0;
  /// RLIMIT_NOFILE, soft.
  int64_t open_files_max = 0;
  /// Whether CAP_SYS_RESOURCE or CAP_SYS_ADMIN is in effect, and counts: it does so only in the
  /// first user namespace.
  bool privileged = false;
};

/// Asks the system, anew at each call: about a dozen system calls. What cannot be read has the
/// kernel's own default.
SystemLimits ReadSystemLimits();

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_SYSTEM_LIMITS_H_
