"""Restores what newer Pythons removed and Celery 5.0 and 5.2 still use, so that these run there too.

It is in the venvs of these Celerys. Every start of Python there imports it, through a .pth file. It does not change
what a worker sends.
"""

import sys

if sys.version_info >= (3, 12):
    # Without arguments it returned a dictionary (kombu 5.0 to 5.2, Celery 5.0 to 5.2).
    import importlib.metadata

    entry_points_now = importlib.metadata.entry_points

    def entry_points(**params):
        if params:
            return entry_points_now(**params)
        return {group: list(entry_points_now(group=group)) for group in entry_points_now().groups}

    importlib.metadata.entry_points = entry_points

if sys.version_info >= (3, 13):
    # billiard 3.6. It is looked up at each call, because gevent replaces the lock.
    import logging

    logging._acquireLock = lambda: logging._lock.acquire()
    logging._releaseLock = lambda: logging._lock.release()
