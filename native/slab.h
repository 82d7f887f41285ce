#ifndef SPLICELIST_NATIVE_SLAB_H_
#define SPLICELIST_NATIVE_SLAB_H_

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "census.h"
#include "resource.h"

namespace splicelist {

/// Memory mapped by us. Unmapped with its last share, on whatever thread.
class Mapping {
 public:
  /// Maps a memfd of `length` bytes, all of them present. It can be neither shrunk nor grown, so
  /// that no access ever ends in SIGBUS. Returns 0 or −errno.
  static int Make(size_t length, std::shared_ptr<Mapping>* mapping);
  /// Maps `length` bytes of private pages: zeros, and nobody else's. Returns 0 or −errno.
  static int MakePrivate(size_t length, std::shared_ptr<Mapping>* mapping);

  /// Use Make or MakePrivate. Takes over the `length` bytes mapped at `bytes`.
  Mapping(uint8_t* bytes, size_t length) : bytes_(bytes), length_(length) {}
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  /// Its first byte.
  uint8_t* bytes() const { return bytes_; }
  /// Its length.
  size_t length() const { return length_; }
  /// Puts fresh pages with the same bytes in place of those that the range touches. Whoever else
  /// refers to the old ones, the kernel, keeps them as they are: from then on writes do not reach
  /// them. For private pages that nobody writes to meanwhile. 0 or −errno. One copy.
  int Renew(size_t offset, size_t length);
  /// Unmaps it now, though shares are left; whoever has one must not touch the bytes any more.
  void Unmap();
  /// Whether `address` lies in it.
  bool Contains(const uint8_t* address) const {
    return address >= bytes_ && address < bytes_ + length_;
  }

 private:
  uint8_t* bytes_;  // null once unmapped
  const size_t length_;
};

/// Memory that looks are read into: mapped once, shown to JavaScript as one ArrayBuffer at a time,
/// and used again after that was detached.
///
/// Making one costs about 600 µs a MiB (the kernel zeroes the pages), showing and detaching about a
/// microsecond; so slabs are recycled. The mapping is shared between the slab, the ArrayBuffer that
/// shows it and a disk job that fills it: it stays until all have gone. View and Detach are for the
/// environment's thread.
class Slab final : public Resource {
 public:
  /// Maps a slab of `length` bytes.
  static Made<Slab> Map(std::shared_ptr<Census> census, size_t length);
  /// Maps private pages for `length` bytes: memory that can be given to the kernel.
  static Made<Slab> MapPrivate(std::shared_ptr<Census> census, size_t length);

  /// Use Map. Shows `mapping`.
  Slab(std::shared_ptr<Census> census, std::shared_ptr<Mapping> mapping);

  /// Shows the first `length` bytes as an external ArrayBuffer, without a copy: what lies behind
  /// them is an earlier user's. 0, −EINVAL past the end, −EBUSY while an earlier one is attached,
  /// −ENOTSUP where the engine forbids external memory.
  int View(napi_env env, size_t length, napi_value* array_buffer);
  /// Detaches the ArrayBuffer of View, if there is one: its length is 0 from then on.
  void Detach(napi_env env);
  /// Detaches, and unmaps at once where nobody else has a share: before the slab is dropped.
  void End(napi_env env);
  /// Leaves the ArrayBuffer of View, if there is one, to itself: it stays as it is, and keeps the
  /// mapping. Makes no value of JavaScript, so that a finalizer may call it.
  void Forget(napi_env env);
  /// Renews the pages of a range; see Mapping. 0, −EINVAL past the end, or −errno.
  int Renew(size_t offset, size_t length);
  /// The mapping it shows.
  const std::shared_ptr<Mapping>& mapping() const { return mapping_; }

 private:
  napi_value Shown(napi_env env) const;

  const Counted counted_;
  const std::shared_ptr<Mapping> mapping_;
  napi_ref shown_ = nullptr;  // weak
};

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_SLAB_H_
