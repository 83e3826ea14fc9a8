"""The command line: `junction --help`. Needs the extra `cli`; `worker` needs `aws`, `indexes` needs `mongo`, and
`tokens` the one of its store.
"""

from __future__ import annotations

from router.errors import ConfigurationError

try:
    from router.cli.commands import app, main
    from router.cli.loading import load_application
except ModuleNotFoundError as error:
    if error.name != "typer":
        raise
    raise ConfigurationError('the command line needs typer and rich: pip install "lambda-junction[cli]"') from None

__all__ = ["app", "load_application", "main"]
