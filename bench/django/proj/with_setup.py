"""As many projects have it, because their Celery module needs models: all applications loaded, and all tasks."""

import django

from .celery import app

django.setup()
app.autodiscover_tasks(force=True)
