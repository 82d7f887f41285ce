// Speaks for the real ceph::buffer::list, so that our lists can be judged by it: one command a line
// on standard input, one answer a line on standard output. The commands are in `kCommands`, the
// answers end with the length of the list that was worked on, and its crc32c from seed -1.
//
// Where Ceph would run past the end of its memory instead of throwing, this refuses in its place:
// the answer is 'unchecked'. Where it cannot bear that two of its arguments are the same list, a
// copy stands in for one of them; sharing makes that free.
#include <rados/buffer.h>

#include <cstdint>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using ceph::bufferlist;
using ceph::bufferptr;
using Input = std::istringstream;

constexpr size_t kLists = 4;
constexpr uint32_t kSeed = 0xffffffff;

/// A range that Ceph does not check by itself.
class Unchecked {};

std::vector<bufferlist> lists(kLists);
bufferptr content;

std::string Hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const unsigned char byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string Unhex(const std::string& text) {
  std::string bytes;
  for (size_t at = 0; at + 1 < text.size(); at += 2) {
    bytes += static_cast<char>(std::stoi(text.substr(at, 2), nullptr, 16));
  }
  return bytes;
}

template <typename T>
T Next(Input& input) {
  T value{};
  if (!(input >> value)) throw std::invalid_argument("A command has too few arguments");
  return value;
}

unsigned Number(Input& input) {
  return Next<unsigned>(input);
}

bufferlist& List(Input& input) {
  return lists.at(Next<size_t>(input));
}

/// A range of the content, from its offset and length.
std::string_view Content(Input& input) {
  const unsigned offset = Number(input);
  const unsigned length = Number(input);
  if (offset + length > content.length()) throw std::invalid_argument("There is no such content");
  return {content.c_str() + offset, length};
}

/// What a list is now. Its crc goes through Ceph's cache, which every command may make stale.
std::string Shape(const bufferlist& list) {
  std::ostringstream shape;
  shape << list.length() << ' ' << list.crc32c(kSeed);
  return shape.str();
}

std::string Append(Input& input) {
  bufferlist& list = List(input);
  const std::string_view bytes = Content(input);
  list.append(bytes.data(), bytes.size());
  return Shape(list);
}

std::string AppendPtr(Input& input) {
  bufferlist& list = List(input);
  const unsigned offset = Number(input);
  list.append(content, offset, Number(input));
  return Shape(list);
}

std::string AppendPieces(Input& input) {
  bufferlist& list = List(input);
  unsigned offset = Number(input);
  const unsigned pieces = Number(input);
  for (unsigned i = 0; i < pieces; i++) {
    const unsigned length = 1 + i % 3;
    list.append(bufferptr(content, offset, length));
    offset += length;
  }
  return Shape(list);
}

std::string AppendZero(Input& input) {
  bufferlist& list = List(input);
  list.append_zero(Number(input));
  return Shape(list);
}

std::string PrependZero(Input& input) {
  bufferlist& list = List(input);
  list.prepend_zero(Number(input));
  return Shape(list);
}

/// A hole that is filled from the content once something else was appended behind it.
std::string AppendHole(Input& input) {
  bufferlist& list = List(input);
  const std::string_view hole = Content(input);
  const std::string_view behind = Content(input);
  auto filler = list.append_hole(hole.size());
  list.append(behind.data(), behind.size());
  filler.copy_in(hole.size(), hole.data());
  return Shape(list);
}

std::string AppendList(Input& input) {
  bufferlist& list = List(input);
  const bufferlist other = List(input);
  list.append(other);
  return Shape(list);
}

std::string ClaimAppend(Input& input) {
  bufferlist& list = List(input);
  bufferlist& other = List(input);
  if (&list != &other) list.claim_append(other);
  return Shape(list) + ' ' + Shape(other);
}

std::string SubstrOf(Input& input) {
  const bufferlist source = List(input);
  bufferlist& target = List(input);
  const unsigned offset = Number(input);
  target.substr_of(source, offset, Number(input));
  return Shape(target);
}

void Splice(bufferlist& list, unsigned offset, unsigned length, bufferlist* removed) {
  // Ceph throws where the range begins outside, and walks off the list where it ends outside.
  if (length > 0 && offset < list.length() && length > list.length() - offset) throw Unchecked();
  list.splice(offset, length, removed);
}

std::string Splice(Input& input) {
  bufferlist& list = List(input);
  bufferlist& target = List(input);
  const unsigned offset = Number(input);
  bufferlist removed;
  Splice(list, offset, Number(input), &removed);
  const std::string shape = Shape(list);
  target = removed;
  return shape + ' ' + Shape(target);
}

std::string Truncate(Input& input) {
  bufferlist& list = List(input);
  const unsigned length = Number(input);
  if (length > list.length()) throw Unchecked();
  list.splice(length, list.length() - length);
  return Shape(list);
}

/// Another list in the place of a range. Ceph has no call for it: its users cut and join.
std::string Replace(Input& input) {
  bufferlist& list = List(input);
  const unsigned offset = Number(input);
  const unsigned length = Number(input);
  const bufferlist replacement = List(input);
  bufferlist result;
  bufferlist behind;
  result.substr_of(list, 0, offset);
  behind.substr_of(list, offset + length, list.length() - offset - length);
  result.append(replacement);
  result.claim_append(behind);
  list = std::move(result);
  return Shape(list);
}

std::string Flatten(Input& input) {
  bufferlist& list = List(input);
  list.c_str();
  return Shape(list);
}

std::string Rebuild(Input& input) {
  bufferlist& list = List(input);
  list.rebuild();
  return Shape(list);
}

std::string Byte(Input& input) {
  const bufferlist& list = List(input);
  return std::to_string(static_cast<unsigned char>(list[Number(input)]));
}

std::string Read(Input& input) {
  const bufferlist& list = List(input);
  auto at = list.begin(Number(input));
  const unsigned length = Number(input);
  std::string bytes(length, '\0');
  at.copy(length, bytes.data());
  return Hex(bytes) + ' ' + std::to_string(at.get_off()) + ' ' + std::to_string(at.get_remaining());
}

/// Skips, takes a list that shares, and skips again: what decoding does.
std::string Walk(Input& input) {
  const bufferlist& list = List(input);
  auto at = list.begin(Number(input));
  at += Number(input);
  bufferlist taken;
  at.copy(Number(input), taken);
  at += Number(input);
  return std::to_string(at.get_off()) + ' ' + Shape(taken);
}

std::string Crc(Input& input) {
  const bufferlist& list = List(input);
  return std::to_string(list.crc32c(Next<uint32_t>(input)));
}

std::string CrcOfRange(Input& input) {
  const bufferlist& list = List(input);
  auto at = list.begin(Number(input));
  const unsigned length = Number(input);
  return std::to_string(at.crc32c(length, Next<uint32_t>(input)));
}

std::string Compare(Input& input) {
  const bufferlist& list = List(input);
  const bufferlist& other = List(input);
  std::ostringstream answer;
  answer << (list == other) << list.contents_equal(other) << ' ' << (list < other)
         << (list > other);
  return answer.str();
}

std::string IsZero(Input& input) {
  return List(input).is_zero() ? "1" : "0";
}

std::string Hexdump(Input& input) {
  std::ostringstream dump;
  List(input).hexdump(dump);
  return Hex(dump.str());
}

std::string Base64(Input& input) {
  bufferlist encoded;
  List(input).encode_base64(encoded);
  return '"' + encoded.to_str() + '"';
}

std::string Bytes(Input& input) {
  return Hex(List(input).to_str());
}

std::string Clear(Input& input) {
  bufferlist& list = List(input);
  list.clear();
  return Shape(list);
}

std::string Begin(Input&) {
  lists.assign(kLists, bufferlist());
  return "begun";
}

std::string SetContent(Input& input) {
  const std::string bytes = Unhex(Next<std::string>(input));
  content = bufferptr(bytes.data(), bytes.size());
  return std::to_string(content.length());
}

const std::map<std::string, std::function<std::string(Input&)>> kCommands = {
    {"append", Append},
    {"append_hole", AppendHole},
    {"append_list", AppendList},
    {"append_pieces", AppendPieces},
    {"append_ptr", AppendPtr},
    {"append_zero", AppendZero},
    {"base64", Base64},
    {"begin", Begin},
    {"byte", Byte},
    {"bytes", Bytes},
    {"claim_append", ClaimAppend},
    {"clear", Clear},
    {"compare", Compare},
    {"content", SetContent},
    {"crc", Crc},
    {"crc_of_range", CrcOfRange},
    {"flatten", Flatten},
    {"hexdump", Hexdump},
    {"is_zero", IsZero},
    {"prepend_zero", PrependZero},
    {"read", Read},
    {"rebuild", Rebuild},
    {"replace", Replace},
    {"splice", static_cast<std::string (*)(Input&)>(Splice)},
    {"substr_of", SubstrOf},
    {"truncate", Truncate},
    {"walk", Walk},
};

std::string Answer(const std::string& line) {
  Input input(line);
  const auto command = kCommands.find(Next<std::string>(input));
  if (command == kCommands.end()) throw std::invalid_argument("There is no such command: " + line);
  try {
    return command->second(input);
  } catch (const Unchecked&) {
    return "unchecked";
  } catch (const std::exception& error) {
    // The class of this error is in no header of the package.
    if (std::string_view(error.what()).find("End of buffer") == std::string_view::npos) throw;
    return "end_of_buffer";
  }
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  std::cin.tie(nullptr);
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << Answer(line) << '\n';
    // Whoever asks may wait for the answer before it asks again.
    if (std::cin.rdbuf()->in_avail() <= 0) std::cout.flush();
  }
}
