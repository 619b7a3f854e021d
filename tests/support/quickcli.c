// What stands on PATH as `aws`: it hands the call on to the server of forks at SOCKET, and ends as the call ends.
// In Python the same takes ten times as long; the tests of the set-up make some 1,700 calls.

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { DIGITS = 12, LOST = 255 };

extern char **environ;

static void put(FILE *call, const char *field) { fwrite(field, 1, strlen(field) + 1, call); }

// The fields of tests/support/forkserver.py, each with a zero behind it.
static char *describe(int argc, char **argv, size_t *size) {
  char *text, folder[PATH_MAX], count[DIGITS];
  FILE *call = open_memstream(&text, size);
  if (!call || !getcwd(folder, sizeof folder)) exit(LOST);
  snprintf(count, sizeof count, "%d", argc);
  put(call, "");
  put(call, folder);
  put(call, count);
  for (int number = 0; number < argc; number++) put(call, argv[number]);
  for (char **one = environ; *one; one++) put(call, *one);
  fclose(call);
  return text;
}

static void send_all(int server, const char *text, size_t size) {
  while (size) {
    ssize_t sent = write(server, text, size);
    if (sent < 0) exit(LOST);
    text += sent;
    size -= (size_t)sent;
  }
}

// The length of the call, and with it the standard streams.
static void send_streams(int server, size_t size) {
  int streams[] = {0, 1, 2};
  char length[DIGITS + 1], space[CMSG_SPACE(sizeof streams)] = {0};
  snprintf(length, sizeof length, "%12zu", size);
  struct iovec content = {length, DIGITS};
  struct msghdr message = {.msg_iov = &content, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
  struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof streams);
  memcpy(CMSG_DATA(rights), streams, sizeof streams);
  if (sendmsg(server, &message, 0) != DIGITS) exit(LOST);
}

// What the server says: the process, and at its end the status.
static int status_of(int server) {
  char said[2 * DIGITS + 1] = "";
  size_t size = 0;
  ssize_t more;
  while (size < 2 * DIGITS && (more = read(server, said + size, 2 * DIGITS - size)) > 0) size += (size_t)more;
  return size == 2 * DIGITS ? atoi(said + DIGITS) : LOST;
}

int main(int argc, char **argv) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SOCKET};
  int server = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(server, (struct sockaddr *)&address, sizeof address)) return LOST;
  size_t size;
  char *call = describe(argc, argv, &size);
  send_streams(server, size);
  send_all(server, call, size);
  return status_of(server) & 255;
}
