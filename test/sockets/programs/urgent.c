/* Connects to the unix socket `argv[1]`, sends three bytes and an urgent one, and closes when the other
 * side has sent something that stays unread: a reset, behind bytes that no plain call reads. */
#include <stdio.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int count, char **arguments) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (count != 2) return 2;
  strncpy(address.sun_path, arguments[1], sizeof address.sun_path - 1);
  int peer = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(peer, (struct sockaddr *)&address, sizeof address) != 0) return perror("connect"), 1;
  if (send(peer, "abc", 3, 0) != 3) return perror("send"), 1;
  if (send(peer, "X", 1, MSG_OOB) != 1) return perror("send urgently"), 1;
  struct pollfd unread = {.fd = peer, .events = POLLIN};
  if (poll(&unread, 1, 10000) != 1) return perror("poll"), 1;
  return close(peer);
}
