"""`python -m examples.tenants`: show the application on the MongoDB of MONGODB_URI. Needs the extra mongo."""

from __future__ import annotations

import sys

from examples.tenants.demo.run import main

sys.exit(main())
