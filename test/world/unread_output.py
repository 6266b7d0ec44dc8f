"""The application of tasks.py. From its first task on, its worker writes into a full pipe that nobody reads."""

import os

from celery.signals import task_received

from tasks import app as app

ends = []


@task_received.connect
def clog(**_):
    if ends:
        return
    ends.extend(os.pipe())
    os.set_blocking(ends[1], False)
    try:
        while True:
            os.write(ends[1], b"." * 4096)
    except BlockingIOError:
        os.set_blocking(ends[1], True)
    os.dup2(ends[1], 1)
    os.dup2(ends[1], 2)
