#ifndef SPLICELIST_NATIVE_SCRIPT_H_
#define SPLICELIST_NATIVE_SCRIPT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace splicelist {

/// One rule of a scripted table of system calls.
struct ScriptRule {
  /// Which call, as an index that ScriptedCall found.
  size_t call = 0;
  /// How many matching calls pass untouched first.
  uint64_t skip = 0;
  /// How many calls the rule then applies to.
  uint64_t times = 1;
  /// Fail the call with this errno, without making it; 0 makes it.
  int error = 0;
  /// Make the call with its byte count cut down to this; F_SETPIPE_SZ with the size that it asks
  /// for.
  uint64_t max_bytes = UINT64_MAX;
};

/// The index of the system call that scripts know as `name`, or −1.
int ScriptedCall(const std::string& name);

/// How often a system call was made under a script.
struct ScriptCount {
  /// The name that scripts know it by.
  const char* call = nullptr;
  /// Calls made or refused since the script began.
  uint64_t times = 0;
};

/// Puts the scripted table in force, for the whole process and all its threads. Tests only.
///
/// Rules of one call follow one another: the second begins when the first is spent. Costs a mutex
/// a call for as long as the script is in force.
void StartScript(std::vector<ScriptRule> rules);

/// Puts the direct table back in force.
void EndScript();

/// What was called under the script that is in force, or was the last.
std::vector<ScriptCount> ScriptCounts();

}  // namespace splicelist

#endif  // SPLICELIST_NATIVE_SCRIPT_H_
