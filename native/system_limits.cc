#include "system_limits.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "pipe.h"
#include "unique_fd.h"

namespace splicelist {
namespace {

constexpr int64_t kPipeMaxBytes = 1 << 20;
constexpr int64_t kUserPagesSoft = 16384;

/// The number that the file at `path` begins with, or `otherwise`.
int64_t ReadNumber(const char* path, int64_t otherwise) {
  const UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
  char text[32];
  const ssize_t length = file ? read(file.get(), text, sizeof text - 1) : -1;
  if (length <= 0) return otherwise;
  text[length] = '\0';
  char* end = nullptr;
  const long long number = std::strtoll(text, &end, 10);
  return end == text ? otherwise : number;
}

int64_t OpenFilesMax() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  constexpr rlim_t kLargest = rlim_t{1} << 53;  // what a number of JavaScript can say
  return static_cast<int64_t>(limit.rlim_cur < kLargest ? limit.rlim_cur : kLargest);
}

/// Whether this is the first user namespace, by whose capabilities the kernel lifts the limits of
/// pipes: the one that maps every id to itself. A system without namespaces has no such file.
bool IsFirstUserNamespace() {
  const UniqueFd file(open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC));
  char text[128];
  const ssize_t length = file ? read(file.get(), text, sizeof text - 1) : -1;
  if (length <= 0) return true;
  text[length] = '\0';
  unsigned long inside = 1;
  unsigned long outside = 1;
  unsigned long count = 0;
  std::sscanf(text, "%lu %lu %lu", &inside, &outside, &count);
  return inside == 0 && outside == 0 && count == 4294967295UL;
}

bool IsPrivileged() {
  if (!IsFirstUserNamespace()) return false;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  if (syscall(SYS_capget, &header, data) != 0) return false;
  constexpr uint32_t kEither = 1U << CAP_SYS_RESOURCE | 1U << CAP_SYS_ADMIN;
  return (data[0].effective & kEither) != 0;
}

}  // namespace

SystemLimits ReadSystemLimits() {
  SystemLimits limits;
  limits.page_bytes = PageBytes();
  limits.pipe_max_bytes = ReadNumber("/proc/sys/fs/pipe-max-size", kPipeMaxBytes);
  limits.user_pages_soft = ReadNumber("/proc/sys/fs/pipe-user-pages-soft", kUserPagesSoft);
  limits.user_pages_hard = ReadNumber("/proc/sys/fs/pipe-user-pages-hard", 0);
  limits.open_files_max = OpenFilesMax();
  limits.privileged = IsPrivileged();
  return limits;
}

}  // namespace splicelist
