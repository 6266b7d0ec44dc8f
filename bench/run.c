/*
 * Runs one command and prints its costs, in one line on stdout:
 *
 *   wall in ns, user time in us, system time in us, peak resident set in KiB, exit code (128 + signal if one ended it)
 *
 * usage: run SECONDS OUTPUT CGROUP COMMAND [ARGUMENT]...
 *
 * OUTPUT receives what the command prints. CGROUP is the cgroup.procs of the cgroup that it enters before it starts, or "-".
 * A command that has not ended after SECONDS is killed with its whole process group.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile pid_t child = 0;

static void give_up(int signal_number) {
  (void)signal_number;
  if (child > 0) kill(-child, SIGKILL);
}

static int must_open(const char *path, int flags) {
  int fd = open(path, flags | O_CLOEXEC, 0600);
  if (fd < 0) {
    fprintf(stderr, "run: %s: %s\n", path, strerror(errno));
    exit(125);
  }
  return fd;
}

static long long nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: run SECONDS OUTPUT CGROUP COMMAND [ARGUMENT]...\n");
    return 125;
  }
  int output = must_open(argv[2], O_WRONLY | O_CREAT | O_TRUNC);
  int cgroup = strcmp(argv[3], "-") == 0 ? -1 : must_open(argv[3], O_WRONLY);

  struct sigaction on_end = {.sa_handler = give_up};
  sigaction(SIGALRM, &on_end, NULL);
  sigaction(SIGTERM, &on_end, NULL);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  alarm((unsigned)atoi(argv[1]));

  long long began = nanoseconds();
  /* vfork: otherwise the cost of copying our own memory would count as the command's. */
  pid_t pid = vfork();
  if (pid == 0) {
    setpgid(0, 0);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    if (cgroup >= 0 && write(cgroup, "0", 1) != 1) _exit(125);
    execv(argv[4], argv + 4);
    _exit(127);
  }
  if (pid < 0) {
    perror("run: vfork");
    return 125;
  }
  child = pid;
  int status;
  struct rusage used;
  while (wait4(pid, &status, 0, &used) < 0) {
    if (errno != EINTR) {
      perror("run: wait4");
      return 125;
    }
  }
  long long wall = nanoseconds() - began;
  printf("%lld %lld %lld %ld %d\n", wall, used.ru_utime.tv_sec * 1000000LL + used.ru_utime.tv_usec,
         used.ru_stime.tv_sec * 1000000LL + used.ru_stime.tv_usec, used.ru_maxrss,
         WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  return 0;
}
