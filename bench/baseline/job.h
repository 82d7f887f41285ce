// A job of bench/transfer/ as its C programs are told of it: arguments of the form name=value, with
// the names of bench/transfer/job.ts.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>

namespace baseline {

class Job {
 public:
  Job(int count, char** arguments) {
    for (int i = 0; i < count; i++) {
      const std::string argument = arguments[i];
      const size_t sign = argument.find('=');
      if (sign == std::string::npos) throw std::invalid_argument("name=value, not " + argument);
      values_[argument.substr(0, sign)] = argument.substr(sign + 1);
    }
  }
  const std::string& text(const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) throw std::invalid_argument(name + "= is missing");
    return found->second;
  }
  uint64_t number(const std::string& name) const { return std::stoull(text(name)); }

  std::string path(const char* file) const { return text("dir") + "/" + file; }

 private:
  std::map<std::string, std::string> values_;
};

// A prime: multiples of it visit every message once before they come round.
constexpr uint64_t kStride = 1000003;

// Which extent of the source file a message is: another one each time, as requests come.
inline uint64_t ExtentOf(uint64_t message, uint64_t messages) {
  return message * kStride % messages;
}

}  // namespace baseline
