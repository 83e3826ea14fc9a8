"""`python -m router`: the command line."""

from __future__ import annotations

import sys

from router.errors import ConfigurationError

if __name__ == "__main__":
    try:
        from router.cli import main
    except ConfigurationError as error:  # the extra is missing
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    main()
