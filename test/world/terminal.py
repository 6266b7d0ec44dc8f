"""Runs a program in a pseudo-terminal and carries out the lines of stdin, one JSON array each:

["size", columns, rows], ["send", text], ["signal", number], ["stopped"], ["times", text, number],
["wait", pattern, seconds]. A wait searches the output since the last successful wait.
At the end it prints one JSON object: the output as latin-1, the exit code, whether the terminal's modes are as before.
"""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

master, slave = pty.openpty()
# A job of a shell, or alone in its session, like a program that docker exec starts.
kind, columns, rows, *command = sys.argv[1:]


def resize(columns, rows):
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", int(rows), int(columns), 0, 0))


resize(columns, rows)
before = termios.tcgetattr(slave)
told, tell = os.pipe()


def start_job():
    """Runs in the foreground, with its parent in the same session. The parent ends with the same exit code."""
    job = os.fork()
    if job != 0:
        os.write(tell, str(job).encode())
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(job, 0)[1]) % 256)
    os.setpgid(0, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)


child = os.fork()
if child == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in range(3):
        os.dup2(slave, fd)
    if kind == "job":
        start_job()
    os.execve(command[0], command, dict(os.environ, TERM=os.environ.get("TERM", "xterm-256color")))
pid = int(os.read(told, 20)) if kind == "job" else child

output = b""
status = None


def pump(seconds):
    """Reads the output, and notices the end."""
    global output, status
    if select.select([master], [], [], seconds)[0]:
        try:
            output += os.read(master, 65536)
        except OSError:
            pass
    if status is None:
        ended, code = os.waitpid(child, os.WNOHANG)
        if ended:
            status = code


def stops():
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] == "T"


seen = 0
for line in sys.stdin:
    what, *values = json.loads(line)
    if what == "size":
        resize(*values)
        os.kill(pid, signal.SIGWINCH)
    elif what == "send":
        os.write(master, values[0].encode())
    elif what == "signal":
        os.kill(pid, values[0])
    elif what == "stopped":
        while not stops():
            pump(0.02)
    elif what == "times":
        while output.count(values[0].encode("latin-1")) < values[1] and status is None:
            pump(0.05)
    elif what == "wait":
        end = time.monotonic() + values[1]
        while True:
            found = re.search(values[0].encode("latin-1"), output[seen:], re.S)
            if found:
                seen += found.end()
                break
            if time.monotonic() > end or status is not None:
                print(json.dumps({"missed": values[0], "output": output.decode("latin-1")}))
                os.kill(pid, signal.SIGKILL) if status is None else None
                sys.exit(0)
            pump(0.05)
end = time.monotonic() + 10
while status is None and time.monotonic() < end:
    pump(0.05)
for _ in range(5):
    pump(0.02)
if status is None:
    os.kill(pid, signal.SIGKILL)
print(
    json.dumps(
        {
            "output": output.decode("latin-1"),
            "code": None if status is None else os.waitstatus_to_exitcode(status),
            "restored": termios.tcgetattr(slave) == before,
        }
    )
)
