"""The application of the project, and its tasks, under the names that the test world knows."""

import os
import time

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

app = Celery("shop")
app.config_from_object("django.conf:settings", namespace="CELERY")
assert not settings.DEBUG

caches = []
if "CACHE_PORT" in os.environ:
    import redis

    caches = [redis.Redis("127.0.0.1", int(os.environ["CACHE_PORT"])) for _ in range(3)]
    for cache in caches:
        cache.ping()


@app.task(bind=True, name="tasks.add")
def add(self, x, y):
    print("began " + self.request.id, flush=True)
    return x + y


@app.task(bind=True, name="tasks.nap")
def nap(self, seconds):
    print("began " + self.request.id, flush=True)
    time.sleep(seconds)
