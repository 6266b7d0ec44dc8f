"""Two tasks: one that is done at once, and one that keeps its worker busy."""

import time

from celery import Celery

# Celery reads CELERY_BROKER_URL by itself; the probe reads the same variable.
app = Celery("tasks")
app.conf.broker_connection_retry_on_startup = True
app.conf.task_ignore_result = True


@app.task
def add(x, y):
    return x + y


@app.task
def nap(seconds):
    time.sleep(seconds)
