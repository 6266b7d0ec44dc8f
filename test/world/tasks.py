"""The Celery application of the test world; runs under every Celery of the table.

Settings come from TASKS_SETTINGS, a JSON object of Celery's setting names. A task prints "began <id>" first, so that
a test can await it: Celery's own log has a line for received and for succeeded only.
"""

import json
import os
import subprocess
import time

from celery import Celery

app = Celery("tasks")
app.conf.update(
    broker_connection_retry_on_startup=True,
    task_ignore_result=True,
)
if os.environ.get("CELERY_BROKER_URL"):
    app.conf.broker_url = os.environ["CELERY_BROKER_URL"]
app.conf.update(json.loads(os.environ.get("TASKS_SETTINGS", "{}")))


def began(task):
    print("began " + task.request.id, flush=True)


@app.task(bind=True, name="tasks.add")
def add(self, x, y):
    began(self)
    return x + y


@app.task(bind=True, name="tasks.nap")
def nap(self, seconds):
    """Sleeps; under gevent and eventlet the worker goes on."""
    began(self)
    time.sleep(seconds)


@app.task(bind=True, name="tasks.spin")
def spin(self, seconds):
    """Burns CPU and yields to nobody."""
    began(self)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


@app.task(bind=True, name="tasks.shell")
def shell(self, seconds):
    """Waits for a child process, as a task does that starts a compiler or ffmpeg."""
    began(self)
    subprocess.run(["sleep", str(seconds)], check=True)
