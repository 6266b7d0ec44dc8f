"""An application that fails in the way that FAILING names."""

import logging
import os
import sys

how = os.environ.get("FAILING", "")
if how == "no-redis":
    sys.modules["redis"] = None
if how == "key-error":
    os.environ["DATABASE_URL"]
if how == "django":
    from django.conf import settings

    settings.DATABASES
if how == "circular":
    import circular  # noqa: F401
if how == "syntax":
    exec(compile("def f(:\n", "/app/shop.py", "exec"))

from celery import Celery, signals  # noqa: E402

app = Celery("failing", broker=os.environ["FAILING_BROKER"] or None)
app.conf.update(
    result_backend=os.environ.get("FAILING_BACKEND"),
    broker_connection_retry_on_startup=True,
    result_backend_transport_options={"retry_policy": {"max_retries": 2, "interval_start": 0}},
    beat_schedule={"tidy": {"task": "failing.fine", "schedule": 1.0}},
    task_default_queue=os.environ.get("FAILING_QUEUE", "celery"),
    redbeat_redis_url=os.environ["FAILING_BROKER"],
    redbeat_lock_timeout=5,
    beat_max_loop_interval=1,
)

HOW_TO_LOG = os.environ.get("FAILING_LOG")


def handler():
    stream = logging.StreamHandler()
    if HOW_TO_LOG == "json":
        from pythonjsonlogger.json import JsonFormatter

        stream.setFormatter(JsonFormatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    if HOW_TO_LOG == "json-level-first":
        from pythonjsonlogger.json import JsonFormatter

        names = {"levelname": "severity", "message": "msg"}
        stream.setFormatter(JsonFormatter("%(levelname)s %(message)s", rename_fields=names))
    if HOW_TO_LOG == "colorlog":
        import colorlog

        words = "%(log_color)s%(levelname)-8s%(reset)s %(blue)s%(message)s"
        stream.setFormatter(colorlog.ColoredFormatter(words, force_color=True))
    if HOW_TO_LOG in ("structlog", "structlog-json"):
        import structlog

        renderer = (
            structlog.processors.JSONRenderer()
            if HOW_TO_LOG == "structlog-json"
            else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
        )
        shared = [structlog.stdlib.add_log_level, structlog.processors.TimeStamper(fmt="iso")]
        if HOW_TO_LOG == "structlog-json":
            shared.append(structlog.processors.format_exc_info)
        stream.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=shared,
                processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            )
        )
    if HOW_TO_LOG == "loguru":
        from loguru import logger

        class Intercepted(logging.Handler):
            def emit(self, record):
                logger.opt(exception=record.exc_info).log(record.levelname, record.getMessage())

        logger.remove()
        logger.add(sys.stderr, colorize=False)
        return Intercepted()
    return stream


if HOW_TO_LOG and HOW_TO_LOG != "celery":

    @signals.setup_logging.connect
    def configure(**_):
        logging.basicConfig(level=logging.INFO, handlers=[handler()], force=True)


@app.task(name="failing.fine")
def fine():
    return 1


@app.task(name="failing.notes")
def notes():
    """Logs a handled exception at INFO, and an unhandled one at ERROR."""
    log = logging.getLogger("shop")
    try:
        open("/nobody/may/read/this")
    except OSError:
        log.info("no cache file yet: PermissionError: [Errno 13] Permission denied: '/cache'", exc_info=True)
    try:
        import nobody_has_this  # noqa: F401
    except ImportError:
        log.info("optional package is missing", exc_info=True)
        log.warning("done with the first half")


@app.task(name="failing.full")
def full():
    """Fails because the disk is full."""
    with open("/dev/full", "w") as target:
        target.write("x" * 100_000)


@app.task(name="failing.die")
def die(number):
    os.kill(os.getpid(), number)


@app.task(name="failing.publish")
def publish():
    from celery import Celery as Other

    other = Other("other", broker="redis://127.0.0.1:1/0")
    other.send_task("shop.mail", retry=False)
