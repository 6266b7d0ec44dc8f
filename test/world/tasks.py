"""The Celery application of the test world; runs under every Celery of the table.

Settings come from TASKS_SETTINGS, a JSON object with Celery's setting names. With TASKS_NAMESPACE they have the form of
a Django project: upper case after a namespace. In TASKS_SETTINGS, values of broker_use_ssl such as "CERT_REQUIRED"
stand for the constants of Python's ssl module. A task first prints "began <id>", so that a test can wait for it.
Celery's own log has lines only for received and succeeded tasks.
"""

import ctypes
import json
import os
import re
import ssl
import subprocess
import time
import types

import redis
from celery import Celery, chain, chord, group
from celery.signals import worker_process_init

app = Celery("tasks")
app.conf.update(
    broker_connection_retry_on_startup=True,
    task_ignore_result=True,
)
if os.environ.get("CELERY_BROKER_URL"):
    app.conf.broker_url = os.environ["CELERY_BROKER_URL"]


def settings():
    found = json.loads(os.environ.get("TASKS_SETTINGS", "{}"))
    use_ssl = found.get("broker_use_ssl")
    if isinstance(use_ssl, dict):
        for name, value in use_ssl.items():
            if str(value).startswith("CERT_"):
                use_ssl[name] = getattr(ssl, value)
    return found


namespace = os.environ.get("TASKS_NAMESPACE")
if namespace:
    named = {namespace + "_" + name.upper(): value for name, value in settings().items()}
    app.config_from_object(types.SimpleNamespace(**named), namespace=namespace)
else:
    app.conf.update(settings())


@worker_process_init.connect
def spoil(**_):
    """As TASKS_CHILDREN says, the children of a pool die at their start, or hang."""
    how = os.environ.get("TASKS_CHILDREN")
    if how == "die":
        # Celery gives up if all children have died before the worker is ready.
        time.sleep(2.5)
        os._exit(1)
    if how == "hang":
        time.sleep(3_600)


def began(task):
    print("began " + task.request.id, flush=True)


@app.task(bind=True, name="tasks.add")
def add(self, x, y):
    began(self)
    return x + y


@app.task(bind=True, name="tasks.fail")
def fail(self, words):
    """Raises a ValueError with these words."""
    began(self)
    raise ValueError(words)


@app.task(bind=True, name="tasks.hoard")
def hoard(self, exponent):
    """Asks for two to the power of `exponent` bytes at once."""
    began(self)
    bytearray(1 << exponent)


@app.task(bind=True, name="tasks.write")
def write(self, file, words):
    """Writes the words into the file."""
    began(self)
    with open(file, "w") as target:
        target.write(words)


@app.task(bind=True, name="tasks.nap")
def nap(self, seconds):
    """Sleeps; under gevent and eventlet the worker goes on."""
    began(self)
    time.sleep(seconds)


@app.task(bind=True, name="tasks.spin")
def spin(self, seconds):
    """Burns CPU without yielding."""
    began(self)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


@app.task(bind=True, name="tasks.shell")
def shell(self, seconds):
    """Waits for a child process, like a task that starts a compiler or ffmpeg."""
    began(self)
    subprocess.run(["sleep", str(seconds)], check=True)


@app.task(bind=True, name="tasks.nap_until")
def nap_until(self, file):
    """Sleeps in small pieces until the file is there; under gevent and eventlet the worker goes on."""
    began(self)
    while not os.path.exists(file):
        time.sleep(0.1)


@app.task(bind=True, name="tasks.spin_until")
def spin_until(self, file):
    """Burns CPU without yielding, until the file is there."""
    began(self)
    while not os.path.exists(file):
        pass


@app.task(bind=True, name="tasks.shell_until")
def shell_until(self, file):
    """Waits for a child process that waits for the file."""
    began(self)
    waiting = 'while [ ! -e "$1" ]; do sleep 0.1; done'
    subprocess.run(["/bin/sh", "-c", waiting, "sh", file], check=True)


@app.task(bind=True, name="tasks.sleep_in_c")
def sleep_in_c(self, seconds):
    """Sleeps in code where gevent and eventlet cannot yield, like a database driver in C."""
    began(self)
    ctypes.CDLL(None).usleep(int(seconds * 1_000_000))


@app.task(bind=True, name="tasks.hold_gil")
def hold_gil(self, seconds):
    """Sleeps in C code that does not release the interpreter's lock, so no other thread runs."""
    began(self)
    ctypes.PyDLL(None).usleep(int(seconds * 1_000_000))


@app.task(bind=True, name="tasks.backtrack")
def backtrack(self, doublings):
    """Burns CPU in C code that does not release the interpreter's lock."""
    began(self)
    re.match(r"(a+)+$", "a" * doublings + "b")


@app.task(bind=True, name="tasks.scribble")
def scribble(self, seconds):
    """Writes to the broker's own database, like a task that keeps its progress there."""
    began(self)
    client = redis.Redis.from_url(app.conf.broker_url)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        client.set("progress", time.monotonic())
        time.sleep(0.2)


@app.task(bind=True, name="tasks.pop")
def pop(self, key):
    """Waits with its own BRPOP, on the broker's server, until a client pushes to the key."""
    began(self)
    redis.Redis.from_url(app.conf.broker_url, socket_timeout=None).brpop(key, timeout=0)


@app.task(bind=True, name="tasks.limited", rate_limit="1/m")
def limited(self):
    """One per minute. The worker holds the others back."""
    began(self)


@app.task(bind=True, name="tasks.delegate")
def delegate(self, queue, how):
    """Sends tasks.add to this queue and waits for it (get, chain, chord), or goes on (send, group, chains, chords)."""
    began(self)
    one = add.s(1, 1).set(queue=queue, ignore_result=False)
    last = add.si(2, 2).set(queue=queue)
    sent = {
        "get": lambda: one,
        "chain": lambda: chain(one, last),
        "chord": lambda: chord([one, one.clone()], last),
        "send": lambda: one,
        "group": lambda: group(one, one.clone()),
        "chains": lambda: group(chain(one, last), chain(one.clone(), last.clone())),
        "chords": lambda: group(chord([one, one.clone()], last), one.clone()),
    }[how]().delay()
    if how in ("get", "chain", "chord"):
        sent.get(disable_sync_subtasks=False)
    time.sleep(300)
