"""`python -m examples.orders`: run the application from end to end on a local AWS. Needs the extras local and aws."""

from __future__ import annotations

import sys

from examples.orders.demo.run import main

sys.exit(main())
