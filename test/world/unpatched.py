"""A worker that a script starts: with the pool gevent nothing patches Python for it, as `celery` itself would."""

import sys

from tasks import app

app.worker_main(sys.argv[1:])
