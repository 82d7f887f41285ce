// The demo's job by the shortest loops in C: what the kernel's own work for it costs, whoever asks.
//
//     demo-floor sender|receiver NAME=VALUE…   one side of one run; see bench/demo/floor.ts
//
// A sender splices the file through a pipe ('splice'), lets the kernel do that ('sendfile'), or
// reads and sends ('copy'). A receiver splices through a pipe into the file ('splice'), receives
// into the file's mapped pages ('mapped'), or receives and writes ('copy'). Descriptors block.
//
// It says in lines of JSON what the demo's other children say in messages, and a sender begins a
// pass for every line that it is sent.

#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "cost.h"
#include "demo-messages.h"
#include "job.h"
#include "transfer-loops.h"

namespace baseline {
namespace {

// Half of a core's second-level cache, so that bytes are still there when they are copied again.
constexpr size_t kCopyBytes = size_t{512} * 1024;
constexpr uint64_t kProgressBytes = uint64_t{64} << 20;

// Moves what a frame announces, between its place in the file and the socket.
using Move = std::function<void(const Frame&)>;

void SendAll(int socket, const void* bytes, size_t count, int flags) {
  const auto* from = static_cast<const char*>(bytes);
  while (count > 0) {
    const uint64_t sent = Moved("send", [&] { return send(socket, from, count, flags); });
    from += sent;
    count -= sent;
  }
}

void SendFrame(int socket, const Frame& frame) {
  const Header header = Encoded(frame);
  // What follows from a file is there: header and payload share a segment.
  SendAll(socket, header.data(), header.size(), frame.kind == Kind::kData ? MSG_MORE : 0);
}

Frame ReceiveFrame(int socket) {
  Header header;
  const ssize_t count =
      Attempt("recv", [&] { return recv(socket, header.data(), header.size(), MSG_WAITALL); });
  if (count != static_cast<ssize_t>(header.size())) throw std::runtime_error("the stream ended");
  return Decoded(header);
}

// Wakes a receiver when what it lacks is there, rather than for every segment.
void SetLowWater(int socket, uint64_t bytes) {
  const int value = static_cast<int>(AtMost(bytes, kPipeBytes));
  Checked(setsockopt(socket, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof(value)), "SO_RCVLOWAT");
}

// Not by waiting in `recv`: that counts what it has taken itself as missing, and waits for ever.
uint64_t ReceiveSome(int socket, char* to, size_t count) {
  pollfd waiting{socket, POLLIN, 0};
  Attempt("poll", [&] { return poll(&waiting, 1, -1); });
  return Moved("recv", [&] { return recv(socket, to, count, MSG_DONTWAIT); });
}

Move Sending(const std::string& way, int file, int socket) {
  const auto place = [file](const Frame& frame) {
    return Place{file, true, static_cast<loff_t>(frame.offset_bytes)};
  };
  if (way == "splice") {
    auto loop = std::make_shared<SpliceLoop>();
    return [=](const Frame& frame) {
      loop->Move(place(frame), Place{socket, false}, frame.length_bytes);
    };
  }
  if (way == "sendfile") {
    return [=](const Frame& frame) { SendFileLoop(place(frame), socket, frame.length_bytes); };
  }
  if (way != "copy") throw std::invalid_argument("a sender has no way " + way);
  auto loop = std::make_shared<ReadWriteLoop>();
  return [=](const Frame& frame) {
    loop->Move(place(frame), {Place{socket, false}}, frame.length_bytes);
  };
}

// A file's pages, mapped once for all passes.
class Mapping {
 public:
  Mapping(int file, uint64_t bytes) : bytes_(bytes) {
    if (bytes == 0) return;
    start_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
    if (start_ == MAP_FAILED) Fail("mmap");
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (bytes_ > 0) munmap(start_, bytes_);
  }
  char* at(uint64_t offset) const { return static_cast<char*>(start_) + offset; }

 private:
  void* start_ = nullptr;
  uint64_t bytes_;
};

void SpliceToFile(const Pipe& pipe, int socket, int file, const Frame& frame) {
  auto offset = static_cast<loff_t>(frame.offset_bytes);
  for (uint64_t left = frame.length_bytes; left > 0;) {
    SetLowWater(socket, left);
    uint64_t held = Moved("splice from the socket", [&] {
      return splice(socket, nullptr, pipe.write.get(), nullptr, AtMost(left, kPipeBytes),
                    SPLICE_F_MOVE);
    });
    left -= held;
    while (held > 0)
      held -= Moved("splice to the file", [&] {
        return splice(pipe.read.get(), nullptr, file, &offset, held, SPLICE_F_MOVE);
      });
  }
}

void CopyToFile(std::vector<char>& buffer, int socket, int file, const Frame& frame) {
  auto offset = static_cast<loff_t>(frame.offset_bytes);
  for (uint64_t left = frame.length_bytes; left > 0;) {
    const size_t wanted = AtMost(left, buffer.size());
    SetLowWater(socket, wanted);
    const uint64_t held = ReceiveSome(socket, buffer.data(), wanted);
    left -= held;
    for (uint64_t done = 0; done < held;) {
      const uint64_t count =
          Moved("pwrite", [&] { return pwrite(file, &buffer[done], held - done, offset); });
      done += count;
      offset += static_cast<loff_t>(count);
    }
  }
}

void ReceiveMapped(const Mapping& mapping, int socket, const Frame& frame) {
  for (uint64_t done = 0; done < frame.length_bytes;) {
    const uint64_t left = frame.length_bytes - done;
    SetLowWater(socket, left);
    done += ReceiveSome(socket, mapping.at(frame.offset_bytes + done), left);
  }
}

Move Receiving(const std::string& way, int file, int socket,
               const std::shared_ptr<Mapping>& mapping) {
  if (way == "splice") {
    auto pipe = std::make_shared<Pipe>(OpenPipe(kPipeBytes));
    return [=](const Frame& frame) { SpliceToFile(*pipe, socket, file, frame); };
  }
  if (way == "mapped") return [=](const Frame& frame) { ReceiveMapped(*mapping, socket, frame); };
  if (way != "copy") throw std::invalid_argument("a receiver has no way " + way);
  auto buffer = std::make_shared<std::vector<char>>(kCopyBytes);
  return [=](const Frame& frame) { CopyToFile(*buffer, socket, file, frame); };
}

class Side {
 public:
  Side(bool is_sender, const Job& job)
      : is_sender_(is_sender),
        job_(job),
        plan_{job.number("fileBytes"), job.number("payloadBytes")} {}

  void Run() {
    if (!is_sender_) Listen();
    std::vector<Cost> costs;
    for (const Plan& plan : Schedule()) {
      plan_ = plan;
      const Descriptor socket = is_sender_ ? Dial() : Accept();
      const Meter meter;
      if (is_sender_) {
        Send(socket.get());
      } else {
        Receive(socket.get());
      }
      costs.push_back(meter.read());
      Say("{\"kind\": \"passed\"}");
    }
    const auto counted = static_cast<ptrdiff_t>(job_.number("countedPasses"));
    Report(costs.front(), Mean({costs.end() - counted, costs.end()}));
  }

 private:
  // As bench/demo/passes.ts has it.
  std::vector<Plan> Schedule() const {
    const Plan warm{job_.number("warmFileBytes"), job_.number("warmPayloadBytes")};
    std::vector<Plan> schedule{plan_};
    schedule.insert(schedule.end(), job_.number("warmPasses"), warm);
    schedule.insert(schedule.end(), job_.number("countedPasses"), plan_);
    return schedule;
  }
  static Cost Mean(const std::vector<Cost>& costs) {
    Cost mean;
    for (const Cost& cost : costs) {
      mean.cpu_seconds += cost.cpu_seconds / static_cast<double>(costs.size());
      mean.wall_seconds += cost.wall_seconds / static_cast<double>(costs.size());
    }
    return mean;
  }

  void Listen() {
    const Address any = Address::Port(0);
    listener_ = OpenSocket(any);
    Checked(bind(listener_.get(), any.get(), any.length), "bind");
    Checked(listen(listener_.get(), 1), "listen");
    sockaddr_in in{};
    socklen_t length = sizeof(in);
    Checked(getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&in), &length), "getsockname");
    Say("{\"kind\": \"listening\", \"port\": " + std::to_string(ntohs(in.sin_port)) + "}");
    if (job_.text("way") == "mapped")
      mapping_ = std::make_shared<Mapping>(Open(job_.text("path"), O_RDWR).get(), plan_.file_bytes);
  }
  Descriptor Accept() const {
    return Descriptor(Checked(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
  }
  Descriptor Dial() const {
    std::string line;
    if (!std::getline(std::cin, line)) throw std::runtime_error("the demo is gone");
    const Address address = Address::Port(static_cast<uint16_t>(job_.number("port")));
    Descriptor socket = OpenSocket(address);
    Checked(connect(socket.get(), address.get(), address.length), "connect");
    SendAtOnce(socket.get());
    return socket;
  }

  void Send(int socket) const {
    const Descriptor file = Open(job_.text("path"), O_RDONLY);
    const Move move = Sending(job_.text("way"), file.get(), socket);
    uint64_t messages = 0;
    plan_.ForEach([&](const Frame& frame) {
      SendFrame(socket, frame);
      move(frame);
      messages += 1;
    });
    SendFrame(socket, {Kind::kEnd, messages, 0, plan_.file_bytes});
    const Frame answer = ReceiveFrame(socket);
    if (answer.kind != Kind::kAcknowledgement || answer.sequence != messages)
      throw std::runtime_error("the receiver does not have every message");
  }

  void Receive(int socket) {
    const Descriptor file = Open(job_.text("path"), O_RDWR);
    const Move move = Receiving(job_.text("way"), file.get(), socket, mapping_);
    for (uint64_t messages = 0;; messages++) {
      SetLowWater(socket, kHeaderBytes);
      const Frame frame = ReceiveFrame(socket);
      if (frame.kind == Kind::kEnd) {
        if (frame.sequence != messages) throw std::runtime_error("messages are missing");
        SendFrame(socket, {Kind::kAcknowledgement, messages, 0, plan_.file_bytes});
        return;
      }
      if (frame.offset_bytes + frame.length_bytes > plan_.file_bytes)
        throw std::runtime_error("a payload from behind the end of the file");
      if (Plan::IsLookedAt(frame.sequence)) Look(socket, frame);
      move(frame);
      Accepted(frame.length_bytes);
    }
  }

  void Look(int socket, const Frame& frame) {
    uint64_t words[Plan::kLookBytes / sizeof(uint64_t)] = {};
    const size_t count = AtMost(frame.length_bytes, sizeof(words));
    Moved("peek", [&] { return recv(socket, words, count, MSG_PEEK | MSG_WAITALL); });
    for (const uint64_t word : words) looked_ = looked_ ^ word;
  }

  void Accepted(uint64_t bytes) {
    const uint64_t before = accepted_bytes_;
    accepted_bytes_ += bytes;
    if (before / kProgressBytes == accepted_bytes_ / kProgressBytes) return;
    Say("{\"kind\": \"progress\", \"bytes\": " + std::to_string(accepted_bytes_) + "}");
  }

  static void Report(const Cost& first, const Cost& counted) {
    std::printf(
        "{\"kind\": \"done\", \"report\": {\"cpuSeconds\": %.6f, \"wallSeconds\": %.6f, "
        "\"cold\": {\"cpuSeconds\": %.6f, \"wallSeconds\": %.6f}, \"peakRssBytes\": %ld}}\n",
        counted.cpu_seconds, counted.wall_seconds, first.cpu_seconds, first.wall_seconds,
        PeakRssBytes());
  }
  static void Say(const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  }

  const bool is_sender_;
  const Job& job_;
  // Of the pass under way.
  Plan plan_;
  Descriptor listener_;
  std::shared_ptr<Mapping> mapping_;
  uint64_t accepted_bytes_ = 0;
  // So that looking cannot be optimized away.
  volatile uint64_t looked_ = 0;
};

}  // namespace
}  // namespace baseline

int main(int count, char** arguments) {
  try {
    // Whoever started it wants no side left when it is gone.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const std::string side = count > 1 ? arguments[1] : "";
    if (side != "sender" && side != "receiver") throw std::invalid_argument("sender or receiver?");
    const baseline::Job job(count - 2, arguments + 2);
    baseline::Side(side == "sender", job).Run();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "demo-floor: %s\n", error.what());
    return 1;
  }
}
