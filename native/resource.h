#ifndef SPLICELIST_NATIVE_RESOURCE_H_
#define SPLICELIST_NATIVE_RESOURCE_H_

#include <sys/stat.h>

#include <memory>

namespace splicelist {

/// What JavaScript can hold a handle of.
///
/// A resource is always owned by `shared_ptr`: the handle has one share, a disk job that uses the
/// resource another. It ends, and its descriptors are closed, with the last share, on whatever
/// thread that is; so a destructor may touch nothing of the environment but the census.
class Resource : public std::enable_shared_from_this<Resource> {
 public:
  /// Which of the three it is; a tag, because the addon is built without RTTI.
  enum class Kind {
    kDescriptor,  ///< A Descriptor.
    kPipe,        ///< A Pipe.
    kSlab,        ///< A Slab.
  };

  /// A resource of `kind`.
  explicit Resource(Kind kind) : kind_(kind) {}
  Resource(const Resource&) = delete;
  Resource& operator=(const Resource&) = delete;
  virtual ~Resource() = default;

  /// Which of the three it is.
  Kind kind() const { return kind_; }
  /// The resource that JavaScript knows: this one, but for a descriptor that a job has duplicated.
  virtual std::weak_ptr<Resource> origin() { return weak_from_this(); }

 private:
  const Kind kind_;
};

/// A resource that bytes can be moved out of and into: a Descriptor or a Pipe.
///
/// The numbers are valid for as long as the object lives, but for a borrowed descriptor, whose
/// owner may close it. No call here costs a system call.
class Endpoint : public Resource {
 public:
  /// The number to read from.
  int source_fd() const { return source_fd_; }
  /// The number to write to.
  int sink_fd() const { return sink_fd_; }
  /// Whether it is a pipe or a FIFO, so that splice takes it.
  bool IsPipe() const { return S_ISFIFO(type_); }
  /// Whether it is a socket.
  bool IsSocket() const { return S_ISSOCK(type_); }
  /// Whether it is a regular file.
  bool IsFile() const { return S_ISREG(type_); }
  /// Whether it is a block device.
  bool IsBlockDevice() const { return S_ISBLK(type_); }
  /// Whether a plain read or write may wait for a peer: O_NONBLOCK was not set when it came here.
  bool MayBlock() const { return may_block_; }

 protected:
  /// An endpoint of the file type `type` (S_IFMT bits).
  Endpoint(Kind kind, int source_fd, int sink_fd, mode_t type, bool may_block)
      : Resource(kind),
        source_fd_(source_fd),
        sink_fd_(sink_fd),
        type_(type),
        may_block_(may_block) {}
  /// Another number, `fd`, for what `original` is.
  Endpoint(int fd, const Endpoint& original)
      : Endpoint(original.kind(), fd, fd, original.type_, original.may_block_) {}

 private:
  const int source_fd_;
  const int sink_fd_;
  const mode_t type_;
  const bool may_block_;
};

/// A new resource, or why there is none.
template <typename T>
struct Made {
  /// The resource; null when there is none.
  std::shared_ptr<T> resource;
  /// 0, or −errno.
  int error = 0;
};

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_RESOURCE_H_
