#include "slab.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "system_calls.h"
#include "unique_fd.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U  // Linux 6.3
#endif

namespace splicelist {
namespace {

/// A new memfd, or −errno. Kernels before 6.3 do not know MFD_NOEXEC_SEAL, and say EINVAL.
int64_t CreateMemfd() {
  constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const int64_t fd = Calls().memfd_create("splicelist", kFlags | MFD_NOEXEC_SEAL);
  return fd == -EINVAL ? Calls().memfd_create("splicelist", kFlags) : fd;
}

/// Gives the memfd its final length, with every page present. Returns 0 or −errno.
int Fill(int fd, size_t length) {
  if (ftruncate(fd, static_cast<off_t>(length)) < 0) return -errno;
  const int error = posix_fallocate(fd, 0, static_cast<off_t>(length));
  if (error != 0) return -error;
  return fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0 ? -errno : 0;
}

void DropShare(napi_env /*env*/, void* /*bytes*/, void* share) {
  delete static_cast<std::shared_ptr<Mapping>*>(share);
}

}  // namespace

int Mapping::Make(size_t length, std::shared_ptr<Mapping>* mapping) {
  const int64_t created = CreateMemfd();
  if (created < 0) return static_cast<int>(created);
  const UniqueFd fd(static_cast<int>(created));
  const int filled = Fill(fd.get(), length);
  if (filled < 0) return filled;
  void* bytes = nullptr;
  const int64_t mapped = Calls().mmap(&bytes, length, MAP_SHARED | MAP_POPULATE, fd.get());
  if (mapped < 0) return static_cast<int>(mapped);
  *mapping = std::make_shared<Mapping>(static_cast<uint8_t*>(bytes), length);
  return 0;
}

Mapping::~Mapping() {
  munmap(bytes_, length_);
}

Made<Slab> Slab::Map(std::shared_ptr<Census> census, size_t length) {
  std::shared_ptr<Mapping> mapping;
  const int error = Mapping::Make(length, &mapping);
  if (error < 0) return {nullptr, error};
  return {std::make_shared<Slab>(std::move(census), std::move(mapping)), 0};
}

Slab::Slab(std::shared_ptr<Census> census, std::shared_ptr<Mapping> mapping)
    : Resource(Kind::kSlab),
      counted_(std::move(census), &Census::slabs),
      mapping_(std::move(mapping)) {
}

int Slab::View(napi_env env, size_t length, napi_value* array_buffer) {
  if (Shown(env) != nullptr) return -EBUSY;
  if (length > mapping_->length()) return -EINVAL;
  Forget(env);
  auto* const share = new std::shared_ptr<Mapping>(mapping_);
  const napi_status status = napi_create_external_arraybuffer(env, mapping_->bytes(), length,
                                                              DropShare, share, array_buffer);
  if (status != napi_ok) {
    delete share;
    return status == napi_no_external_buffers_allowed ? -ENOTSUP : -ENOMEM;
  }
  napi_create_reference(env, *array_buffer, 0, &shown_);
  return 0;
}

void Slab::Detach(napi_env env) {
  const napi_value shown = Shown(env);
  if (shown != nullptr) napi_detach_arraybuffer(env, shown);
  Forget(env);
}

/// The ArrayBuffer of View that is still attached, or null.
napi_value Slab::Shown(napi_env env) const {
  napi_value value = nullptr;
  bool detached = true;
  if (shown_ != nullptr) napi_get_reference_value(env, shown_, &value);
  if (value != nullptr) napi_is_detached_arraybuffer(env, value, &detached);
  return detached ? nullptr : value;
}

void Slab::Forget(napi_env env) {
  if (shown_ != nullptr) napi_delete_reference(env, shown_);
  shown_ = nullptr;
}

}  // namespace splicelist
