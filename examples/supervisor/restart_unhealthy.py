"""Restarts a program of supervisord that a command calls unhealthy: an event listener for TICK_5.

restart_unhealthy.py PROGRAM COMMAND [WORD]...

The command is run at each tick. Where it has ended with another code than 0 three times in a row, the program is
restarted. A program that was started less than a minute ago is left alone: it may be importing its application.
"""

import os
import subprocess
import sys

from supervisor import childutils

FAILURES = 3
START_S = 60


def main(program, command):
    supervisor = childutils.getRPCInterface(os.environ).supervisor
    failures = 0
    while True:
        childutils.listener.wait()
        if is_settled(supervisor.getProcessInfo(program)):
            run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
            failures = failures + 1 if run.returncode != 0 else 0
            if failures > 0:
                say("%s, %d of %d: %s" % (program, failures, FAILURES, run.stdout.strip()))
        else:
            failures = 0
        if failures == FAILURES:
            say("restarting %s" % program)
            supervisor.stopProcess(program)
            supervisor.startProcess(program)
            failures = 0
        childutils.listener.ok()


def is_settled(info):
    return info["statename"] == "RUNNING" and info["now"] - info["start"] >= START_S


def say(line):
    """To supervisord's log: stdout belongs to its protocol."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
