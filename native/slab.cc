#include "slab.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "pipe.h"
#include "system_calls.h"
#include "unique_fd.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U  // Linux 6.3
#endif

namespace splicelist {
namespace {

/// Present from the start: one call is cheaper than a fault for every page.
constexpr int kPrivatePages = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;

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

int Mapping::MakePrivate(size_t length, std::shared_ptr<Mapping>* mapping) {
  void* bytes = nullptr;
  const int64_t mapped = Calls().mmap(&bytes, length, kPrivatePages, -1);
  if (mapped < 0) return static_cast<int>(mapped);
  *mapping = std::make_shared<Mapping>(static_cast<uint8_t*>(bytes), length);
  return 0;
}

Mapping::~Mapping() {
  Unmap();
}

int Mapping::Renew(size_t offset, size_t length) {
  const auto page = static_cast<size_t>(PageBytes());
  const size_t first = offset / page * page;
  const size_t size = (offset + length - first + page - 1) / page * page;
  void* fresh = nullptr;
  const int64_t mapped = Calls().mmap(&fresh, size, kPrivatePages, -1);
  if (mapped < 0) return static_cast<int>(mapped);
  std::memcpy(fresh, bytes_ + first, size);
  const int64_t moved = Calls().mremap(fresh, size, bytes_ + first);
  if (moved < 0) Calls().munmap(fresh, size);
  return static_cast<int>(moved);
}

void Mapping::Unmap() {
  if (bytes_ != nullptr) Calls().munmap(bytes_, length_);
  bytes_ = nullptr;
}

Made<Slab> Slab::Map(std::shared_ptr<Census> census, size_t length) {
  std::shared_ptr<Mapping> mapping;
  const int error = Mapping::Make(length, &mapping);
  if (error < 0) return {nullptr, error};
  return {std::make_shared<Slab>(std::move(census), std::move(mapping)), 0};
}

Made<Slab> Slab::MapPrivate(std::shared_ptr<Census> census, size_t length) {
  std::shared_ptr<Mapping> mapping;
  const int error = Mapping::MakePrivate(length, &mapping);
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

void Slab::End(napi_env env) {
  // One that was moved elsewhere by JavaScript is somebody's still, and no longer shown.
  const bool shown = Shown(env) != nullptr;
  Detach(env);
  // The slab's own share, and that of the ArrayBuffer, whose finalizer runs later.
  constexpr int64_t kOurShares = 2;
  if (shown && mapping_.use_count() == kOurShares) mapping_->Unmap();
}

int Slab::Renew(size_t offset, size_t length) {
  if (offset > mapping_->length() || length > mapping_->length() - offset) return -EINVAL;
  return length == 0 ? 0 : mapping_->Renew(offset, length);
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
