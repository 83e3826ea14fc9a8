"""Options and arguments that several commands have."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperCommand


def flag(*names: str, **options: Any) -> Any:
    """Return an option that takes no value; without a metavar of its own the help would show `<bool>`."""
    return typer.Option(*names, metavar="", **options)


Application = Annotated[
    str, typer.Argument(metavar="APP", help="The application: `package.module:resolver`.", show_default=False)
]
Verbose = Annotated[bool, flag("--verbose", "-v", help="Log more: each batch, each retry.")]


class Command(TyperCommand):
    """A command that says what a missing argument is, beside its name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments of a command line, as the base class does."""
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            param = getattr(error, "param", None)
            if type(error).__name__ == "MissingParameter" and not error.message:  # type: ignore[attr-defined]
                error.message = getattr(param, "help", None) or ""  # type: ignore[attr-defined]
            raise
