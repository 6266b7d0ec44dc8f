"""Runs a program whose output goes into a full pipe: `stalled_reader.py FD DRAIN SECONDS PROGRAM WORDS…`.

FD (1 or 2) is that pipe's write end, so every write blocks. If DRAIN is not `never`, the reader reads after this many
seconds. Prints the exit code, or `hangs` after SECONDS, and then what was read.
"""

import os
import subprocess
import sys
import threading

fd, drain, seconds, *command = sys.argv[1:]
read_end, write_end = os.pipe()
os.set_blocking(write_end, False)
try:
    while True:
        os.write(write_end, b"." * 4096)
except BlockingIOError:
    os.set_blocking(write_end, True)

outputs = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
outputs["stdout" if fd == "1" else "stderr"] = write_end
program = subprocess.Popen(command, stdin=subprocess.DEVNULL, **outputs)
if drain != "never":
    threading.Timer(float(drain), lambda: os.read(read_end, 65536)).start()
try:
    ended = str(program.wait(float(seconds)))
except subprocess.TimeoutExpired:
    ended = "hangs"
    program.kill()
os.set_blocking(read_end, False)
rest = b""
try:
    while chunk := os.read(read_end, 65536):
        rest += chunk
except BlockingIOError:
    pass
print(ended, rest.lstrip(b".").decode().strip())
