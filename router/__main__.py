"""The command line, as `python -m router`; the console script `junction` runs the same."""

from __future__ import annotations

import sys

from router.errors import ConfigurationError


def run(program: str) -> None:
    """Run the command that was asked for, and end the process with its exit status.

    program: how it was started, for its help.
    """
    if sys.argv[1:2] == ["runtime"] and "--help" not in sys.argv:
        from router.runtime.start import main as run_runtime  # inside of Lambda, where the extra `cli` is not

        sys.exit(run_runtime(sys.argv[2:]))
    try:
        from router.cli import main
    except ConfigurationError as error:  # the extra is missing
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    main(program)


if __name__ == "__main__":
    run(f"python -m {__package__}")
