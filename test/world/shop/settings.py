"""Settings like in most Django projects: the broker's URL is built from its parts, and no variable contains it."""

import os
from urllib.parse import quote

SECRET_KEY = "no-secret"
INSTALLED_APPS = []
USE_TZ = True

host = os.environ.get("REDIS_HOST", "127.0.0.1")
port = os.environ.get("REDIS_PORT", "6379")
database = os.environ.get("REDIS_DB", "0")
password = os.environ.get("REDIS_PASSWORD", "")
if "REDIS_PASSWORD_FILE" in os.environ:
    with open(os.environ["REDIS_PASSWORD_FILE"]) as secret:
        password = secret.read().strip()
user = os.environ.get("REDIS_USERNAME", "")
scheme = "rediss" if os.environ.get("REDIS_TLS") else "redis"
login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if password else ""
query = "?ssl_cert_reqs=CERT_NONE" if os.environ.get("REDIS_TLS") else ""

CELERY_BROKER_URL = os.environ.get("APP_BROKER") or f"{scheme}://{login}{host}:{port}/{database}{query}"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
if "RESULT_PORT" in os.environ:
    CELERY_RESULT_BACKEND = f"redis://{host}:{os.environ['RESULT_PORT']}/0"
