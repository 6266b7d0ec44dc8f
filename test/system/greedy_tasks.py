"""Tasks that take what a container has."""

import time

from celery import Celery

app = Celery("greedy_tasks")
app.conf.broker_connection_retry_on_startup = True
app.conf.task_ignore_result = True


@app.task
def hold(megabytes, seconds):
    """Uses memory. It is written to, so that the kernel must provide it."""
    held = b"x" * (megabytes * 2**20)
    time.sleep(seconds)
    return len(held)


@app.task
def spin(seconds):
    """Uses a whole core."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
