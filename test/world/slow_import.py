"""
A module of an application that starts slowly, as one that loads a model: its import lasts until the file
SLOW_IMPORT_UNTIL is there, or all that a worker does before it connects lasts until SLOW_INIT_UNTIL is there.
"""

import os
import time

from celery.signals import worker_init


def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.02)


@worker_init.connect
def on_init(**_):
    if "SLOW_INIT_UNTIL" in os.environ:
        wait_for(os.environ["SLOW_INIT_UNTIL"])


if "SLOW_IMPORT_UNTIL" in os.environ:
    wait_for(os.environ["SLOW_IMPORT_UNTIL"])
