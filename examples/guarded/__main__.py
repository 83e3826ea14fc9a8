"""`python -m examples.guarded`: run it on a local AWS. Needs the extras local, aws, auth, jsonschema."""

from __future__ import annotations

import sys

from examples.guarded.demo.run import main

sys.exit(main())
