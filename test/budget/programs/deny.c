// Runs a program to which the kernel denies some system calls, as a container's profile would:
//
//     deny ERRNO CALL,CALL… PROGRAM [ARGUMENT…]
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
  const char *name;
  int number;
} calls[] = {
    {"splice", SYS_splice},
    {"tee", SYS_tee},
    {"vmsplice", SYS_vmsplice},
    {"sendfile", SYS_sendfile},
    {"copy_file_range", SYS_copy_file_range},
};

int main(int argc, char **argv) {
  if (argc < 4) return 64;
  const unsigned error = (unsigned)atoi(argv[1]) & SECCOMP_RET_DATA;
  struct sock_filter filter[32];
  unsigned short used = 0;
  filter[used++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                                offsetof(struct seccomp_data, nr));
  for (char *name = strtok(argv[2], ","); name != NULL; name = strtok(NULL, ",")) {
    for (size_t i = 0; i < sizeof calls / sizeof *calls; ++i) {
      if (strcmp(name, calls[i].name) != 0) continue;
      filter[used++] =
          (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].number, 0, 1);
      filter[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error);
    }
  }
  filter[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  const struct sock_fprog program = {used, filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    perror("seccomp");
    return 69;
  }
  execvp(argv[3], argv + 3);
  perror(argv[3]);
  return 66;
}
