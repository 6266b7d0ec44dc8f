/*
 * The probe's round trip with Redis and nothing else of it: what the question itself costs. Exit code 0 is a pong.
 *
 * usage: roundtrip ADDRESS PORT LIST CHANNEL ENVELOPE TICKET
 *
 * ENVELOPE is the finished message, made by src/pidbox/message.ts: a malformed one would end the worker.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* As src/pidbox/mailbox.ts: how many elements survive a ping, and the seconds that the list lives. */
#define KEEP "31"
#define LIVES "86400"
#define WAIT_MS 2000.0

static int redis;
static char in[1 << 16], out[1 << 16];
static size_t in_start, in_end, out_end;

static void fail(const char *fact) {
  fprintf(stderr, "roundtrip: %s\n", fact);
  exit(1);
}

static void append(const char *format, ...) {
  va_list values;
  va_start(values, format);
  int length = vsnprintf(out + out_end, sizeof out - out_end, format, values);
  va_end(values);
  if (length < 0 || out_end + (size_t)length >= sizeof out) fail("the commands are too long");
  out_end += (size_t)length;
}

/* Adds a command; the words end with NULL. */
static void command(const char *first, ...) {
  va_list words;
  int count = 0;
  va_start(words, first);
  for (const char *word = first; word != NULL; word = va_arg(words, const char *)) count++;
  va_end(words);
  append("*%d\r\n", count);
  va_start(words, first);
  for (const char *word = first; word != NULL; word = va_arg(words, const char *))
    append("$%zu\r\n%s\r\n", strlen(word), word);
  va_end(words);
}

static void send_all(void) {
  for (size_t sent = 0; sent < out_end;) {
    ssize_t count = write(redis, out + sent, out_end - sent);
    if (count <= 0) fail("cannot write");
    sent += (size_t)count;
  }
  out_end = 0;
}

static void fill(void) {
  if (in_start > 0) {
    memmove(in, in + in_start, in_end - in_start);
    in_end -= in_start;
    in_start = 0;
  }
  if (in_end == sizeof in) fail("a reply is too long");
  ssize_t count = read(redis, in + in_end, sizeof in - in_end);
  if (count <= 0) fail("cannot read");
  in_end += (size_t)count;
}

/* The next line without its end; valid until the next read. */
static char *read_line(void) {
  for (;;) {
    char *end = memmem(in + in_start, in_end - in_start, "\r\n", 2);
    if (end != NULL) {
      char *line = in + in_start;
      *end = '\0';
      in_start = (size_t)(end + 2 - in);
      return line;
    }
    fill();
  }
}

/* The length of an array of replies that follows. */
static long read_array(void) {
  char *line = read_line();
  if (line[0] != '*') fail(line);
  return atol(line + 1);
}

static long read_number(void) {
  char *line = read_line();
  if (line[0] != ':') fail(line);
  return atol(line + 1);
}

/* A string, ended by a zero; valid until the next read. */
static char *read_string(void) {
  char *line = read_line();
  if (line[0] != '$') fail(line);
  size_t length = (size_t)atol(line + 1);
  while (in_end - in_start < length + 2) fill();
  char *text = in + in_start;
  text[length] = '\0';
  in_start += length + 2;
  return text;
}

static void expect(const char *wanted) {
  char *line = read_line();
  if (strcmp(line, wanted) != 0) fail(line);
}

static int sextet(char c) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const char *found = c == '\0' ? NULL : strchr(digits, c);
  return found == NULL ? -1 : (int)(found - digits);
}

static void decode_base64(const char *from, char *to) {
  int bits = 0, value = 0;
  for (; sextet(*from) >= 0; from++) {
    value = (value << 6 | sextet(*from)) & 0xffff;
    bits += 6;
    if (bits >= 8) *to++ = (char)(value >> (bits -= 8) & 0xff);
  }
  *to = '\0';
}

/* Whether an element of the list is a pong with our ticket. */
static int is_our_pong(const char *element, const char *ticket) {
  static char body[sizeof in];
  static const char field[] = "\"body\": \"";
  const char *text = strstr(element, field);
  if (strstr(element, ticket) == NULL || text == NULL) return 0;
  decode_base64(text + strlen(field), body);
  return strstr(body, "\"ok\": \"pong\"") != NULL;
}

static double milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void pause_ms(double ms) {
  struct timespec time = {.tv_sec = 0, .tv_nsec = (long)(ms * 1e6)};
  nanosleep(&time, NULL);
}

int main(int argc, char **argv) {
  if (argc != 7) fail("usage: roundtrip ADDRESS PORT LIST CHANNEL ENVELOPE TICKET");
  const char *list = argv[3], *channel = argv[4], *envelope = argv[5], *ticket = argv[6];
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[2]))};
  if (inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) fail("the address is no IPv4 address");
  redis = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (redis < 0 || connect(redis, (struct sockaddr *)&address, sizeof address) != 0) fail("cannot connect");
  int yes = 1;
  setsockopt(redis, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);

  /* MULTI is acknowledged first: where it is refused, PUBLISH would run all the same. */
  command("TYPE", list, NULL);
  command("MULTI", NULL);
  send_all();
  char *type = read_line();
  if (strcmp(type, "+list") != 0 && strcmp(type, "+none") != 0) fail(type);
  expect("+OK");

  command("RPUSH", list, "", NULL);
  command("LTRIM", list, "0", KEEP, NULL);
  command("EXPIRE", list, LIVES, NULL);
  command("LRANGE", list, "0", "0", NULL);
  command("PUBLISH", channel, envelope, NULL);
  command("EXEC", NULL);
  send_all();
  for (int queued = 0; queued < 5; queued++) expect("+QUEUED");
  if (read_array() != 5) fail("EXEC did not give five results");
  read_number();
  expect("+OK");
  read_number();
  for (long left = read_array(); left > 0; left--) read_string();
  if (read_number() < 1) fail("nobody is subscribed");

  double began = milliseconds();
  for (double waited = 0; waited < WAIT_MS; waited = milliseconds() - began) {
    double interval = waited / 8;
    pause_ms(interval < 1 ? 1 : interval > 25 ? 25 : interval);
    command("LRANGE", list, "0", "1", NULL);
    send_all();
    int answered = 0;
    for (long left = read_array(); left > 0; left--) answered |= is_our_pong(read_string(), ticket);
    if (answered) return 0;
  }
  fail("no pong");
}
