"""Options and arguments that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from router.cli.completion import complete_application


def flag(*names: str, **options: Any) -> Any:
    """Return an option that takes no value; without a metavar of its own the help would show `<bool>`."""
    return typer.Option(*names, metavar="", **options)


Application = Annotated[
    str,
    typer.Argument(
        metavar="APP",
        help="The application: `package.module:resolver`, or a `Stack` of it.",
        show_default=False,
        autocompletion=complete_application,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write there in place of the terminal.", show_default=False),
]
Diff = Annotated[bool, flag("--diff", help="Write nothing; show what would change in the output file.")]
Check = Annotated[bool, flag("--check", help="Write nothing; status 1 where the file is not current.")]
Force = Annotated[bool, flag("--force", help="Write over what was edited by hand.")]
Verbose = Annotated[bool, flag("--verbose", "-v", help="Log more: each batch, each retry.")]


PANELS = DEVELOP, DEPLOY, RUN, DATA, SET_UP = "Develop", "Deploy", "Run", "Data", "Set up"
"""The groups of commands in the help, in order."""


class _Helpful:
    """Shows `--help` as the flag that it is: without `<bool>`."""

    def get_help_option(self, ctx: Any) -> Any:
        """Return the option, as the base class makes it."""
        option = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option.metavar = ""
        return option


class Group(_Helpful, TyperGroup):
    """A command of commands, which are shown panel by panel."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of commands in the order in which they are shown."""

        def place(name: str) -> int:
            panel = getattr(self.commands[name], "rich_help_panel", None)
            return PANELS.index(panel) if panel in PANELS else len(PANELS)

        return sorted(super().list_commands(ctx), key=place)


typed: list[str] = []
"""The command that runs, with its arguments as they were typed."""


class Command(_Helpful, TyperCommand):
    """A command that says what a missing argument is, beside its name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments of a command line, as the base class does."""
        typed[:] = [*ctx.command_path.split(), *args]
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            param = getattr(error, "param", None)
            if isinstance(said := getattr(error, "message", None), str):
                error.message = said.removeprefix("Value error, ")  # type: ignore[attr-defined]  # of a library's checks
            if type(error).__name__ == "MissingParameter" and not error.message:  # type: ignore[attr-defined]
                error.message = getattr(param, "help", None) or ""  # type: ignore[attr-defined]
            raise
