"""Runs programs for the harness and measures each, which Node cannot. Each line is a job, as JSON over a socket.

A job: `id`, `words`, `env`, `longestMs`, and perhaps `kill` [signal, after ms], `limits` {name: value} and `uid`.
Its end: `id`, `code` or `signal`, `ms`, `peakKb`, `sinceKillMs`, and the streams as Latin-1. Times do not
include the time in which it, or the thread that waits for it, was ready to run but the machine had no free core.
"""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

SHOWN = 4_000_000  # bytes of a stream that are kept


def keep(stream, into):
    while piece := stream.read(65_536):
        if sum(map(len, into)) < SHOWN:
            into.append(piece)


def delay(process):
    """Seconds for which its main thread has waited for a core (/proc/N/schedstat)."""
    with open(f"/proc/{process}/schedstat") as file:
        return int(file.read().split()[1]) / 1e9


def run(job):
    killed_at = []

    def prepare():
        for name, value in job.get("limits", {}).items():
            resource.setrlimit(getattr(resource, "RLIMIT_" + name), (value, value))
        if "uid" in job:
            os.setgroups([])
            os.setgid(job["uid"])
            os.setuid(job["uid"])

    def kill(number):
        try:
            late = delay(child.pid)
            os.kill(child.pid, number)
            killed_at.append(time.monotonic() - late)
        except (ProcessLookupError, FileNotFoundError):
            pass

    out, err = [], []
    began = time.monotonic() - delay("thread-self")
    child = subprocess.Popen(
        job["words"],
        env=job["env"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=prepare if "limits" in job or "uid" in job else None,
    )
    timers = [threading.Timer(job["longestMs"] / 1000, kill, [signal.SIGKILL])]
    if "kill" in job:
        timers.append(threading.Timer(job["kill"][1] / 1000, kill, [job["kill"][0]]))
    readers = [threading.Thread(target=keep, args=pair) for pair in ((child.stdout, out), (child.stderr, err))]
    for thread in timers + readers:
        thread.start()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    waited = delay(child.pid)
    ended = time.monotonic() - delay("thread-self")
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = status
    for timer in timers:
        timer.cancel()
    for reader in readers:
        reader.join()
    return {
        "code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
        "signal": signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else None,
        "ms": (ended - began - waited) * 1000,
        "sinceKillMs": (ended - killed_at[0] - waited) * 1000 if killed_at else None,
        "peakKb": usage.ru_maxrss,
        "stdout": b"".join(out).decode("latin-1"),
        "stderr": b"".join(err).decode("latin-1"),
    }


def answer(job, connection, lock):
    try:
        done = run(job)
    except Exception as error:
        done = {"problem": repr(error)}
    with lock:
        connection.sendall((json.dumps({"id": job["id"], **done}) + "\n").encode())


def main():
    connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    lock = threading.Lock()
    for line in connection.makefile():
        threading.Thread(target=answer, args=(json.loads(line), connection, lock), daemon=True).start()


main()
