"""Cannot be imported."""

import os

SECRET = os.environ["SURELY_NOT_SET"]
