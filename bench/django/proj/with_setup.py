"""Loads all applications and all tasks. Many projects do this, because their Celery module needs models."""

import django

from .celery import app

django.setup()
app.autodiscover_tasks(force=True)
