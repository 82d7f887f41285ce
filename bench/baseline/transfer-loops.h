// The loops that bench/transfer/ compares with: each moves one message, and returns when it is
// moved. Descriptors block, so there is nothing to wait for but the call itself.
#pragma once

#include <netinet/tcp.h>
#include <sys/sendfile.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "system.h"

namespace baseline {

// What a pipe of a splice loop holds, and what its calls ask for.
constexpr int kPipeBytes = 1 << 20;
// What one call may be asked for.
constexpr size_t kCallBytes = size_t{1} << 30;
// So many bytes are hardly more than two packets: nothing is asked.
constexpr size_t kBurstBytesMin = size_t{128} * 1024;
// Of a read/write loop: what a core's cache holds together with what else it needs.
constexpr size_t kBufferBytes = size_t{128} * 1024;

// Where a message is: in a file at an offset, or next in a stream.
struct Place {
  int fd;
  bool is_file;
  loff_t offset = 0;

  // For calls that read or write at an offset and advance it.
  loff_t* at() { return is_file ? &offset : nullptr; }
};

inline size_t AtMost(uint64_t bytes, size_t limit) {
  return static_cast<size_t>(std::min<uint64_t>(bytes, limit));
}

// The count of a call on a descriptor that blocks: none means that there is no more.
template <class Call>
uint64_t Moved(const char* name, Call&& call) {
  const ssize_t count = Attempt(name, call);
  if (count <= 0) throw std::runtime_error(std::string(name) + ": ended in the middle");
  return static_cast<uint64_t>(count);
}

// What a call gives a sink: two packets where TCP spaces them by timers, for what comes sooner
// waits for one, and what is left of a packet for another. With BBR, 1 GiB by sendfile takes 0.86
// of the CPU then, and by tee to 8 sinks in turn 0.47. `otherwise` where it spaces none.
inline size_t BurstBytes(int socket, size_t otherwise) {
  char name[16] = {};
  socklen_t length = sizeof(name) - 1;
  int segment = 0;
  socklen_t size = sizeof(segment);
  const bool is_tcp = getsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name, &length) == 0 &&
                      getsockopt(socket, IPPROTO_TCP, TCP_MAXSEG, &segment, &size) == 0;
  if (!is_tcp || std::string(name).rfind("bbr", 0) != 0) return otherwise;
  // As many segments as the kernel hands on together.
  constexpr int kPacketBytes = 65'215;
  return size_t{2} * static_cast<size_t>(segment * std::max(1, kPacketBytes / segment));
}

inline void SendFileLoop(Place source, int sink, uint64_t bytes) {
  const size_t burst_bytes = bytes > kBurstBytesMin ? BurstBytes(sink, kCallBytes) : kCallBytes;
  while (bytes > 0)
    bytes -= Moved("sendfile", [&] {
      return sendfile64(sink, source.fd, &source.offset, AtMost(bytes, burst_bytes));
    });
}

inline void CopyRangeLoop(Place source, Place sink, uint64_t bytes) {
  while (bytes > 0)
    bytes -= Moved("copy_file_range", [&] {
      return copy_file_range(source.fd, &source.offset, sink.fd, &sink.offset, bytes, 0);
    });
}

class SpliceLoop {
 public:
  void Move(Place source, Place sink, uint64_t bytes) {
    while (bytes > 0) {
      uint64_t held = Moved("splice from the source", [&] {
        return splice(source.fd, source.at(), pipe_.write.get(), nullptr, AtMost(bytes, kPipeBytes),
                      SPLICE_F_MOVE);
      });
      bytes -= held;
      // What follows from a file is there; what follows from a stream may be late.
      const unsigned more = source.is_file && bytes > 0 ? SPLICE_F_MORE : 0;
      while (held > 0)
        held -= Moved("splice to the sink", [&] {
          return splice(pipe_.read.get(), nullptr, sink.fd, sink.at(), held, SPLICE_F_MOVE | more);
        });
    }
  }

 private:
  Pipe pipe_ = OpenPipe(kPipeBytes);
};

// The source is a pipe already.
inline void SplicePipeLoop(Place source, Place sink, uint64_t bytes) {
  while (bytes > 0)
    bytes -= Moved("splice", [&] {
      return splice(source.fd, nullptr, sink.fd, sink.at(), AtMost(bytes, kPipeBytes),
                    SPLICE_F_MOVE);
    });
}

class ReadWriteLoop {
 public:
  // Each sink gets what was read, one after the other.
  void Move(Place source, std::vector<Place> sinks, uint64_t bytes) {
    while (bytes > 0) {
      const uint64_t held =
          Moved("read", [&] { return Read(source, AtMost(bytes, kBufferBytes)); });
      source.offset += static_cast<loff_t>(held);
      bytes -= held;
      for (Place& sink : sinks) WriteAll(sink, held);
    }
  }

 private:
  ssize_t Read(const Place& source, size_t bytes) {
    return source.is_file ? pread(source.fd, buffer_.data(), bytes, source.offset)
                          : read(source.fd, buffer_.data(), bytes);
  }
  void WriteAll(Place& sink, uint64_t bytes) {
    for (uint64_t done = 0; done < bytes;) {
      const uint64_t count = Moved("write", [&] { return Write(sink, done, bytes - done); });
      sink.offset += static_cast<loff_t>(count);
      done += count;
    }
  }
  ssize_t Write(const Place& sink, uint64_t from, uint64_t bytes) {
    return sink.is_file ? pwrite(sink.fd, &buffer_[from], bytes, sink.offset)
                        : write(sink.fd, &buffer_[from], bytes);
  }

  std::vector<char> buffer_ = std::vector<char>(kBufferBytes);
};

// One source, many sinks: all but the last get a tee of what the pipe holds.
class TeeLoop {
 public:
  explicit TeeLoop(const std::vector<Place>& sinks)
      : burst_bytes_(BurstBytes(sinks.front().fd, kPipeBytes)) {
    for (size_t i = 0; i < sinks.size(); i++) pipes_.push_back(OpenPipe(kPipeBytes));
  }
  void Move(Place source, const std::vector<Place>& sinks, uint64_t bytes) {
    const Pipe& first = pipes_.front();
    while (bytes > 0) {
      const uint64_t held = Moved("splice from the source", [&] {
        return splice(source.fd, nullptr, first.write.get(), nullptr, AtMost(bytes, burst_bytes_),
                      SPLICE_F_MOVE);
      });
      bytes -= held;
      for (size_t i = 1; i < sinks.size(); i++) {
        // As many slots as the first one has: all of it fits.
        const uint64_t teed =
            Moved("tee", [&] { return tee(first.read.get(), pipes_[i].write.get(), held, 0); });
        if (teed != held) throw std::runtime_error("tee: a part only");
        Drain(pipes_[i], sinks[i].fd, held);
      }
      Drain(first, sinks.front().fd, held);
    }
  }

 private:
  static void Drain(const Pipe& pipe, int sink, uint64_t held) {
    while (held > 0)
      held -= Moved("splice to a sink", [&] {
        return splice(pipe.read.get(), nullptr, sink, nullptr, held, SPLICE_F_MOVE);
      });
  }

  const size_t burst_bytes_;
  std::vector<Pipe> pipes_;
};

}  // namespace baseline
