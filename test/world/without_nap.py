"""A worker of an older deployment: it does not have the task tasks.nap yet."""

import sys

from tasks import app

app.finalize()
app.tasks.unregister("tasks.nap")
app.worker_main(sys.argv[1:])
