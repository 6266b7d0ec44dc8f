"""A worker that a script starts. With the pool gevent, nothing patches Python for it; `celery` itself would."""

import sys

from tasks import app

app.worker_main(sys.argv[1:])
