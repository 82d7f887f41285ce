/* Connects to the TCP port or the unix socket `argv[1]` and sends what the other arguments say: so many
 * bytes, each one more than the one before, or with '!' one urgent byte, which is none of them. Ends
 * writing then, and waits until the other side has ended. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connected(const char *where) {
  struct sockaddr_un path = {.sun_family = AF_UNIX};
  struct sockaddr_in port = {.sin_family = AF_INET};
  port.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  port.sin_port = htons((unsigned short)atoi(where));
  strncpy(path.sun_path, where, sizeof path.sun_path - 1);
  int is_path = where[0] == '/';
  int peer = socket(is_path ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
  struct sockaddr *address = is_path ? (struct sockaddr *)&path : (struct sockaddr *)&port;
  socklen_t length = is_path ? sizeof path : sizeof port;
  return connect(peer, address, length) == 0 ? peer : -1;
}

static int sends(int peer, long count, unsigned char *next) {
  unsigned char block[4096];
  while (count > 0) {
    long length = count < (long)sizeof block ? count : (long)sizeof block;
    for (long i = 0; i < length; i++) block[i] = (*next)++;
    for (long sent = 0; sent < length;) {
      ssize_t n = send(peer, block + sent, (size_t)(length - sent), MSG_NOSIGNAL);
      if (n < 0) return -1;
      sent += n;
    }
    count -= length;
  }
  return 0;
}

int main(int count, char **arguments) {
  if (count < 2) return 2;
  int peer = connected(arguments[1]);
  if (peer < 0) return perror("connect"), 1;
  unsigned char next = 0;
  for (int i = 2; i < count; i++) {
    int failed = arguments[i][0] == '!' ? send(peer, "!", 1, MSG_OOB) != 1
                                        : sends(peer, atol(arguments[i]), &next);
    if (failed) return perror("send"), 1;
  }
  shutdown(peer, SHUT_WR);
  char rest;
  while (recv(peer, &rest, 1, 0) > 0) continue;
  return close(peer);
}
