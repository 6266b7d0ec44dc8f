"""A module of an application whose import lasts until the file SLOW_IMPORT_UNTIL is there, as one that loads a model."""

import os
import time

while not os.path.exists(os.environ["SLOW_IMPORT_UNTIL"]):
    time.sleep(0.1)
