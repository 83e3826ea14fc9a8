"""An application that cannot be imported."""

from __future__ import annotations

import os

TABLE = os.environ["A_VARIABLE_THAT_NOBODY_SETS"]
