// The contestants in C of bench/transfer/: the shortest loops that do each job.
//
//     transfer-mover LOOP NAME=VALUE…   one job by one loop; see bench/transfer/job.ts
//
// Prints what each pass cost as one line of JSON.

#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cost.h"
#include "job.h"
#include "transfer-events.h"
#include "transfer-loops.h"

namespace baseline {
namespace {

// One connection of a job: a source, and its sinks.
struct Route {
  Descriptor source;
  std::vector<Descriptor> sinks;
};

class Mover {
 public:
  Mover(std::string loop, const Job& job)
      : loop_(std::move(loop)),
        job_(job),
        message_bytes_(job.number("messageBytes")),
        messages_(job.number("messages")) {}

  std::vector<Cost> Run() {
    OpenPlaces();
    const std::function<void()> move = Prepare();
    std::vector<Cost> costs;
    for (uint64_t pass = 0; pass < job_.number("passes"); pass++) {
      const Meter meter;
      Tell();
      move();
      AwaitEnd();
      costs.push_back(meter.read());
    }
    return costs;
  }

 private:
  void OpenPlaces() {
    if (has_peer()) {
      to_peer_ = Open(job_.path("to-peer"), O_WRONLY);
      from_peer_ = Open(job_.path("to-worker"), O_RDONLY);
    }
    for (uint64_t i = 0; i < job_.number("connections"); i++) {
      Route route;
      route.source = OpenSide("source", O_RDONLY);
      for (uint64_t j = 0; j < job_.number("sinks"); j++)
        route.sinks.push_back(OpenSide("sink", O_WRONLY));
      routes_.push_back(std::move(route));
    }
  }

  Descriptor OpenSide(const char* side, int flags) const {
    const std::string& kind = job_.text(side);
    if (kind == "file") return Open(job_.path(side), flags);
    if (kind == "pipe") return Open(job_.path("payload"), flags);
    const bool is_tcp = kind == "tcp";
    const Address address =
        is_tcp ? Address::Port(static_cast<uint16_t>(job_.number(std::string(side) + "Port")))
               : Address::Path(job_.path(side));
    Descriptor socket = OpenSocket(address);
    Checked(connect(socket.get(), address.get(), address.length), "connect");
    if (is_tcp) SendAtOnce(socket.get());
    return socket;
  }

  // What moves all messages of a pass.
  std::function<void()> Prepare() {
    if (routes_.size() > 1) {
      return loop_ == "splice" ? ByEvents<HeldInPipe>() : ByEvents<HeldInMemory>();
    }
    return [this, move = PrepareMessage()] {
      for (uint64_t message = 0; message < messages_; message++) {
        move(message);
        if (is_file("sink") && has_peer()) Tell();
      }
    };
  }

  template <class Held>
  std::function<void()> ByEvents() {
    auto loop = std::make_shared<EventLoop<Held>>();
    for (const Route& route : routes_) loop->Add(route.source.get(), route.sinks.front().get());
    return [this, loop] { loop->Move(messages_, message_bytes_); };
  }

  std::function<void(uint64_t)> PrepareMessage() {
    if (loop_ == "sendfile")
      return [this](uint64_t i) { SendFileLoop(Source(i), Sink(i).fd, message_bytes_); };
    if (loop_ == "copy_file_range")
      return [this](uint64_t i) { CopyRangeLoop(Source(i), Sink(i), message_bytes_); };
    if (loop_ == "read/write") {
      auto loop = std::make_shared<ReadWriteLoop>();
      return [this, loop](uint64_t i) { loop->Move(Source(i), Sinks(i), message_bytes_); };
    }
    if (loop_ == "tee") {
      auto loop = std::make_shared<TeeLoop>(Sinks(0));
      return [this, loop](uint64_t i) { loop->Move(Source(i), Sinks(i), message_bytes_); };
    }
    if (loop_ != "splice") throw std::invalid_argument("there is no loop " + loop_);
    if (job_.text("source") == "pipe")
      return [this](uint64_t i) { SplicePipeLoop(Source(i), Sink(i), message_bytes_); };
    auto loop = std::make_shared<SpliceLoop>();
    return [this, loop](uint64_t i) { loop->Move(Source(i), Sink(i), message_bytes_); };
  }

  Place Source(uint64_t message) const {
    return {routes_.front().source.get(), is_file("source"), OffsetOf(message)};
  }
  Place Sink(uint64_t message) const { return Sinks(message).front(); }
  std::vector<Place> Sinks(uint64_t message) const {
    std::vector<Place> sinks;
    for (const Descriptor& sink : routes_.front().sinks)
      sinks.push_back({sink.get(), is_file("sink"), OffsetOf(message)});
    return sinks;
  }
  // What comes out of a stream is stored in order; extents of a file are asked for in any.
  loff_t OffsetOf(uint64_t message) const {
    const uint64_t extent = is_file("source") ? ExtentOf(message, messages_) : message;
    return static_cast<loff_t>(extent * message_bytes_);
  }

  bool is_file(const char* side) const { return job_.text(side) == "file"; }
  bool has_peer() const { return !is_file("source") || !is_file("sink"); }

  void Tell() {
    const char byte = 'm';
    if (has_peer()) Checked(write(to_peer_.get(), &byte, 1), "write to-peer");
  }
  void AwaitEnd() {
    char byte = 0;
    if (has_peer() && Checked(read(from_peer_.get(), &byte, 1), "read to-worker") == 0)
      throw std::runtime_error("the peer is gone");
  }

  const std::string loop_;
  const Job& job_;
  const uint64_t message_bytes_;
  const uint64_t messages_;
  Descriptor to_peer_;
  Descriptor from_peer_;
  std::vector<Route> routes_;
};

void Print(const std::vector<Cost>& costs) {
  const char* before = "{\"passes\": [";
  for (const Cost& cost : costs) {
    std::printf("%s{\"cpuSeconds\": %.6f, \"wallSeconds\": %.6f, \"waitedSeconds\": %.6f}", before,
                cost.cpu_seconds, cost.wall_seconds, cost.waited_seconds);
    before = ", ";
  }
  std::printf("], \"peakRssBytes\": %ld}\n", PeakRssBytes());
}

}  // namespace
}  // namespace baseline

int main(int count, char** arguments) {
  try {
    if (count < 2) throw std::invalid_argument("which loop?");
    baseline::RaiseDescriptorLimit();
    const baseline::Job job(count - 2, arguments + 2);
    baseline::Print(baseline::Mover(arguments[1], job).Run());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "transfer-mover: %s\n", error.what());
    return 1;
  }
}
