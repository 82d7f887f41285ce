// The other side of every transfer in bench/transfer/: it makes the bytes that a contestant moves,
// and takes those that it has moved. One program for all of them, so that only the contestant
// differs.
//
//     transfer-peer serve NAME=VALUE…        one job, see bench/transfer/job.ts
//     transfer-peer fill FILE BYTES BEGIN    makes a file of the pattern
//     transfer-peer check FILE BYTES BEGIN   compares a file with the pattern
//
// A connection has one message under way: the next one begins when each sink has all of the last
// one, or when the contestant has said that it is stored. `serve` prints where it listens as one
// line of JSON. A pass begins with a byte of the contestant in the pipe `to-peer`, and ends with
// one in `to-worker` when all was taken; between them, each byte in `to-peer` is a message that was
// stored.

#include <sys/epoll.h>
#include <sys/stat.h>

#include <cstdio>
#include <deque>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "job.h"
#include "pattern.h"
#include "system.h"

namespace baseline {
namespace {

// Sent at once: then sinks have their turn.
constexpr size_t kSendBytes = size_t{128} * 1024;
constexpr int kEventsMax = 256;
constexpr size_t kSaidBytes = 256;

struct Connection;

// One descriptor of a connection, as the event loop sees it.
struct Port {
  Descriptor fd;
  Connection* connection = nullptr;
  // Bytes that went through in this pass.
  uint64_t bytes = 0;
  bool is_source = false;
};

struct Connection {
  uint64_t index = 0;
  std::unique_ptr<Port> source;
  std::vector<std::unique_ptr<Port>> sinks;
  // Messages that are stored, where a file is the sink.
  uint64_t stored = 0;
  bool is_blocked = false;
  bool is_queued = false;
};

class Listener {
 public:
  explicit Listener(const Address& address) : socket_(OpenSocket(address)) {
    Checked(bind(socket_.get(), address.get(), address.length), "bind");
    Checked(listen(socket_.get(), SOMAXCONN), "listen");
  }
  uint16_t port() const {
    sockaddr_in in{};
    socklen_t length = sizeof(in);
    Checked(getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&in), &length), "getsockname");
    return ntohs(in.sin_port);
  }
  Descriptor Accept() const {
    Descriptor socket(Checked(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
    MakeNonBlocking(socket.get());
    SendAtOnce(socket.get());
    return socket;
  }

 private:
  Descriptor socket_;
};

class Peer {
 public:
  explicit Peer(const Job& job)
      : job_(job),
        message_bytes_(job.number("messageBytes")),
        messages_(job.number("messages")),
        pass_bytes_(message_bytes_ * messages_),
        is_verified_(job.number("verify") != 0),
        events_(Checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
        buffer_(Pattern::kChunkBytes) {}

  void Serve() {
    OpenPipes();
    Connect();
    for (uint64_t pass = 0; pass < job_.number("passes"); pass++) RunPass(pass);
  }

 private:
  void OpenPipes() {
    for (const char* name : {"to-peer", "to-worker", "payload"})
      Checked(mkfifo(job_.path(name).c_str(), 0600), "mkfifo");
    // For both ways: then it neither waits for the other side nor ends with it.
    from_worker_ = Open(job_.path("to-peer"), O_RDWR);
    to_worker_ = Open(job_.path("to-worker"), O_RDWR);
  }

  void Connect() {
    const auto source = Listen("source");
    const auto sink = Listen("sink");
    std::printf("{\"sourcePort\": %d, \"sinkPort\": %d}\n", PortOf("source", source.get()),
                PortOf("sink", sink.get()));
    std::fflush(stdout);
    const uint64_t count = job_.number("connections");
    for (uint64_t i = 0; i < count; i++) connections_.push_back(Accept(source.get(), sink.get()));
    MakeNonBlocking(from_worker_.get());
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = nullptr;
    Checked(epoll_ctl(events_.get(), EPOLL_CTL_ADD, from_worker_.get(), &event), "epoll_ctl");
  }

  std::unique_ptr<Listener> Listen(const char* side) const {
    const std::string& kind = job_.text(side);
    if (kind == "tcp") return std::make_unique<Listener>(Address::Port(0));
    if (kind == "unix") return std::make_unique<Listener>(Address::Path(job_.path(side)));
    return nullptr;
  }

  int PortOf(const char* side, const Listener* listener) const {
    return job_.text(side) == "tcp" ? listener->port() : 0;
  }

  std::unique_ptr<Connection> Accept(const Listener* source, const Listener* sink) {
    auto connection = std::make_unique<Connection>();
    connection->index = connections_.size();
    if (source != nullptr) {
      connection->source = AddPort(source->Accept(), connection.get(), true);
    } else if (job_.text("source") == "pipe") {
      Descriptor payload = Open(job_.path("payload"), O_RDWR | O_NONBLOCK);
      connection->source = AddPort(std::move(payload), connection.get(), true);
    }
    const uint64_t sinks = sink == nullptr ? 0 : job_.number("sinks");
    for (uint64_t i = 0; i < sinks; i++)
      connection->sinks.push_back(AddPort(sink->Accept(), connection.get(), false));
    return connection;
  }

  std::unique_ptr<Port> AddPort(Descriptor fd, Connection* connection, bool is_source) {
    auto port = std::make_unique<Port>();
    port->fd = std::move(fd);
    port->connection = connection;
    port->is_source = is_source;
    epoll_event event{};
    // A source is told once whenever it can take more; it is asked first.
    event.events = is_source ? EPOLLOUT | EPOLLET : EPOLLIN;
    event.data.ptr = port.get();
    Checked(epoll_ctl(events_.get(), EPOLL_CTL_ADD, port->fd.get(), &event), "epoll_ctl");
    return port;
  }

  void RunPass(uint64_t pass) {
    pass_ = pass;
    unfinished_ = connections_.size();
    for (const auto& connection : connections_) {
      connection->stored = 0;
      if (connection->source) connection->source->bytes = 0;
      for (const auto& sink : connection->sinks) sink->bytes = 0;
    }
    is_begun_ = false;
    while (unfinished_ > 0) {
      Wait();
      for (size_t left = ready_.size(); left > 0; left--) {
        Connection* connection = ready_.front();
        ready_.pop_front();
        connection->is_queued = false;
        Send(connection);
      }
    }
    const char end = 'e';
    Checked(write(to_worker_.get(), &end, 1), "write to-worker");
  }

  void Wait() {
    epoll_event events[kEventsMax];
    const int timeout = ready_.empty() ? -1 : 0;
    const auto count = Attempt(
        "epoll_wait", [&] { return epoll_wait(events_.get(), events, kEventsMax, timeout); });
    for (ssize_t i = 0; i < count; i++) {
      auto* port = static_cast<Port*>(events[i].data.ptr);
      if (port == nullptr) {
        Hear();
      } else if (port->is_source) {
        port->connection->is_blocked = false;
        Queue(port->connection);
      } else {
        Drain(port);
      }
    }
  }

  // The first byte of a pass begins it; each other one is a message that was stored.
  void Hear() {
    // Its own, for the other one may hold what was just drained.
    char said[kSaidBytes];
    const ssize_t count = Attempt("read to-peer", [&] {
      return read(from_worker_.get(), said, is_begun_ ? sizeof(said) : 1);
    });
    if (count <= 0) return;
    if (!is_begun_) {
      is_begun_ = true;
      for (const auto& connection : connections_) Queue(connection.get());
      return;
    }
    Connection* connection = connections_.front().get();
    connection->stored += static_cast<uint64_t>(count);
    if (connection->stored == messages_) unfinished_ -= 1;
    Queue(connection);
  }

  void Queue(Connection* connection) {
    if (!is_begun_ || connection->is_queued || connection->is_blocked) return;
    if (!connection->source || connection->source->bytes == Allowed(*connection)) return;
    connection->is_queued = true;
    ready_.push_back(connection);
  }

  // How far the source may go: to the end of the message behind the last one that was taken.
  uint64_t Allowed(const Connection& connection) const {
    uint64_t taken = connection.stored;
    if (!connection.sinks.empty()) {
      taken = messages_;
      for (const auto& sink : connection.sinks)
        taken = std::min(taken, sink->bytes / message_bytes_);
    }
    return std::min(pass_bytes_, (taken + 1) * message_bytes_);
  }

  void Send(Connection* connection) {
    Port& source = *connection->source;
    const auto bytes =
        static_cast<size_t>(std::min<uint64_t>(kSendBytes, Allowed(*connection) - source.bytes));
    const char* from = pattern_.at(StreamBegin(pass_, connection->index) + source.bytes);
    const ssize_t count = Attempt("write", [&] { return write(source.fd.get(), from, bytes); });
    if (count < 0) {
      connection->is_blocked = true;
      return;
    }
    source.bytes += static_cast<uint64_t>(count);
    Queue(connection);
  }

  void Drain(Port* sink) {
    // TCP throws away what nobody looks at, without copying it.
    const int flags = job_.text("sink") == "tcp" && !is_verified_ ? MSG_TRUNC : 0;
    const ssize_t count = Attempt(
        "recv", [&] { return recv(sink->fd.get(), buffer_.data(), buffer_.size(), flags); });
    if (count < 0) return;
    if (count == 0) throw std::runtime_error("the contestant closed a connection");
    const auto bytes = static_cast<size_t>(count);
    // It said so before it sent them, but events come in any order.
    if (!is_begun_) Hear();
    if (!is_begun_ || sink->bytes + bytes > pass_bytes_)
      throw std::runtime_error("the contestant sent bytes that nobody gave it");
    if (is_verified_) Verify(*sink, bytes);
    sink->bytes += bytes;
    if (sink->bytes == pass_bytes_) Finish(*sink->connection);
    Queue(sink->connection);
  }

  void Finish(const Connection& connection) {
    for (const auto& sink : connection.sinks)
      if (sink->bytes < pass_bytes_) return;
    unfinished_ -= 1;
  }

  // What came must be what was sent, or what the extent of the file holds.
  void Verify(const Port& sink, size_t count) const {
    for (size_t at = 0; at < count;) {
      const uint64_t position = sink.bytes + at;
      uint64_t begin = StreamBegin(pass_, sink.connection->index) + position;
      size_t stretch = count - at;
      if (job_.text("source") == "file") {
        const uint64_t within = position % message_bytes_;
        begin = ExtentOf(position / message_bytes_, messages_) * message_bytes_ + within;
        stretch = static_cast<size_t>(std::min<uint64_t>(stretch, message_bytes_ - within));
      }
      if (!pattern_.matches(begin, &buffer_[at], stretch))
        throw std::runtime_error("wrong bytes behind byte " + std::to_string(position));
      at += stretch;
    }
  }

  const Job& job_;
  const uint64_t message_bytes_;
  const uint64_t messages_;
  const uint64_t pass_bytes_;
  const bool is_verified_;
  const Pattern pattern_;
  Descriptor events_;
  Descriptor from_worker_;
  Descriptor to_worker_;
  std::vector<char> buffer_;
  std::vector<std::unique_ptr<Connection>> connections_;
  // Connections that have something to send and were not refused.
  std::deque<Connection*> ready_;
  uint64_t pass_ = 0;
  uint64_t unfinished_ = 0;
  bool is_begun_ = false;
};

void FillFile(const std::string& path, uint64_t bytes, uint64_t begin) {
  const Pattern pattern;
  // In place, so that a file that is there stays in the cache.
  const Descriptor file(Checked(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), "open"));
  Checked(ftruncate(file.get(), static_cast<off_t>(bytes)), "ftruncate");
  for (uint64_t at = 0; at < bytes;) {
    const auto count = static_cast<size_t>(std::min<uint64_t>(Pattern::kChunkBytes, bytes - at));
    const ssize_t written = Attempt("pwrite", [&] {
      return pwrite(file.get(), pattern.at(begin + at), count, static_cast<off_t>(at));
    });
    at += static_cast<uint64_t>(written);
  }
}

void CheckFile(const std::string& path, uint64_t bytes, uint64_t begin) {
  const Pattern pattern;
  const Descriptor file = Open(path, O_RDONLY);
  std::vector<char> buffer(Pattern::kChunkBytes);
  uint64_t at = 0;
  for (;;) {
    const ssize_t count =
        Attempt("read", [&] { return read(file.get(), buffer.data(), buffer.size()); });
    if (count == 0) break;
    if (!pattern.matches(begin + at, buffer.data(), static_cast<size_t>(count)))
      throw std::runtime_error(path + ": wrong bytes behind byte " + std::to_string(at));
    at += static_cast<uint64_t>(count);
  }
  if (at != bytes) throw std::runtime_error(path + " has " + std::to_string(at) + " bytes");
}

void Run(int count, char** arguments) {
  const std::string command = count > 1 ? arguments[1] : "";
  if (command == "serve") {
    RaiseDescriptorLimit();
    const Job job(count - 2, arguments + 2);
    Peer(job).Serve();
  } else if (command == "fill" && count == 5) {
    FillFile(arguments[2], std::stoull(arguments[3]), std::stoull(arguments[4]));
  } else if (command == "check" && count == 5) {
    CheckFile(arguments[2], std::stoull(arguments[3]), std::stoull(arguments[4]));
  } else {
    throw std::invalid_argument("serve, fill or check");
  }
}

}  // namespace
}  // namespace baseline

int main(int count, char** arguments) {
  try {
    baseline::Run(count, arguments);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "transfer-peer: %s\n", error.what());
    return 1;
  }
}
