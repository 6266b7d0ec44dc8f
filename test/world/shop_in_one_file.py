"""A Django project in one file: its settings, with Celery's settings after a namespace, and its application."""

import os

SECRET_KEY = "not-secret"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
USE_TZ = True

CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL")
CELERY_RESULT_BACKEND = "disabled"
CELERY_TASK_TIME_LIMIT = 900
CELERY_TASK_SOFT_TIME_LIMIT = 840
CELERY_WORKER_MAX_TASKS_PER_CHILD = 50
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 7200,
    "sep": ":",
    "priority_steps": [0, 5, 12],
    "unacked_key": "shop-unacked",
}
CELERY_BEAT_SCHEDULE = {"tidy": {"task": "shop.tidy", "schedule": 60.0}}
CELERY_BEAT_SCHEDULER = "redbeat.RedBeatScheduler"
CELERY_REDBEAT_LOCK_KEY = "shop:lock"
# A name of Celery 3 beside the names of the namespace. Celery reads both.
CELERYD_POOL = "prefork"

os.environ["DJANGO_SETTINGS_MODULE"] = "shop_in_one_file"

from celery import Celery  # noqa: E402

app = Celery("shop")
app.config_from_object("django.conf:settings", namespace="CELERY")
