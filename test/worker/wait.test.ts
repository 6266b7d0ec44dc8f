import { expect, test } from "vitest";
import { sleepOf, unbroken } from "../../src/worker/wait.ts";
import { fakeProc } from "./fake-proc.ts";

const TCP =
  "   0: 0100007F:B9A8 0200010A:18EB 01 00000000:00000000 00:00000000 00000000  1000        0 501 1 0000000000000000 20 4 30 10 -1\n" +
  "   1: 0100007F:B9A9 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 502 1 0000000000000000 20 4 30 10 -1\n";

const wait = (wchan: string, call: string | null, descriptors: readonly string[] | null = FILES) =>
  sleepOf(
    fakeProc([{ pid: 20, descriptors }], {
      "/proc/20/wchan": wchan,
      "/proc/20/syscall": call,
      "/proc/20/net/tcp": TCP,
    }),
    20,
  )?.wait ?? null;

const FILES = ["/dev/null", "pipe:[1]", "pipe:[2]", "/logs/fifo", "pipe:[4]", "socket:[501]", "socket:[502]"];
const call = (descriptor: number) =>
  `1 0x${descriptor.toString(16)} 0x55579696d030 0x1000 0x0 0x0 0x0 0x7ffd 0x7fb1\n`;

test.each([
  ["pipe_write", call(1), { kind: "pipe", to: "stdout" }],
  ["anon_pipe_write", call(2), { kind: "pipe", to: "stderr" }],
  ["fifo_pipe_write", call(3), { kind: "pipe", to: "/logs/fifo" }],
  // To a program that a task has started.
  ["anon_pipe_write", call(4), null],
  // Another's system call may need more rights than where it sleeps.
  ["anon_pipe_write", null, { kind: "pipe", to: "output" }],
  ["wait_woken", call(5), { kind: "connection", remote: { address: "10.1.0.2", port: 6379 } }],
  ["sk_wait_data", call(5), { kind: "connection", remote: { address: "10.1.0.2", port: 6379 } }],
  ["wait_woken", call(6), null],
  ["wait_woken", call(0), null],
  ["wait_woken", null, null],
  ["wait_woken", "running\n", null],
  ["do_epoll_wait", call(5), null],
  ["anon_pipe_read", call(1), null],
  ["0", call(1), null],
])("in %s, by the system call %j, it waits for %j", (wchan, systemCall, expected) => {
  expect(wait(wchan, systemCall)).toEqual(expected);
});

test("without a pipe for its output it is no output that it writes", () => {
  expect(wait("pipe_write", null, ["/dev/null", "/dev/null", "/dev/null", "pipe:[4]"])).toBeNull();
});

test.each([
  ["anon_pipe_write", call(2), { wait: { kind: "pipe", to: "stderr" }, thread: 25, voluntarySwitches: 41 }],
  // A task in a thread pool may wait for a server.
  ["wait_woken", call(5), null],
])("of a process whose other thread is in %s", (wchan, systemCall, expected) => {
  const proc = fakeProc(
    [
      { pid: 20, descriptors: FILES },
      { pid: 25, descriptors: FILES },
    ],
    {
      "/proc/20/wchan": "futex_do_wait",
      "/proc/20/task/20/comm": "celery\n",
      "/proc/20/task/25/comm": "celery\n",
      "/proc/25/wchan": wchan,
      "/proc/25/syscall": systemCall,
      "/proc/25/net/tcp": TCP,
    },
  );
  expect(sleepOf(proc, 20)).toEqual(expected);
});

test("a thread that woke between two looks has no unbroken wait", () => {
  const to = { kind: "pipe", to: "stderr" } as const;
  const sleep = (voluntarySwitches: number) => ({ wait: to, thread: 20, voluntarySwitches });
  expect(unbroken(sleep(1), sleep(1))).toEqual(to);
  expect(unbroken(sleep(1), sleep(2))).toBeNull();
  expect(unbroken(sleep(1), { ...sleep(1), thread: 21 })).toBeNull();
  expect(unbroken(null, sleep(1))).toBeNull();
  expect(unbroken(undefined, null)).toBeNull();
});
