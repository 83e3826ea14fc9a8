"""`junction completion`: the script that has a shell complete commands, options, applications and sources."""

from __future__ import annotations

import os
import re
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from router.cli.loading import refuse

if TYPE_CHECKING:
    from collections.abc import Iterator

SHELLS = ("bash", "zsh", "fish")
_RESOLVER = re.compile(r"^(\w+)\s*(?::[^=\n]+)?=\s*(?:[\w.]+\.)?(Resolver|Stack)\(", re.MULTILINE)
_NOT_SEARCHED = {"node_modules", "site-packages", "__pycache__", "build", "dist", "cdk.out"}
_MOST_FILES = 2_000
_MOST_BYTES = 500_000


def completion(
    shell: Annotated[
        str,
        typer.Argument(metavar="SHELL", help="bash, zsh or fish.", autocompletion=lambda: list(SHELLS)),
    ],
) -> None:
    """Print the script that completes commands, options, applications and sources in a shell.

    - bash: `eval "$(junction completion bash)"` in `~/.bashrc`
    - zsh: `eval "$(junction completion zsh)"` in `~/.zshrc`, after `compinit`
    - fish: `junction completion fish > ~/.config/fish/completions/junction.fish`

    Exit status: 0 when it is printed, 2 for another shell.
    """
    if shell not in SHELLS:
        refuse(f"SHELL {shell!r:.80}: use one of {', '.join(SHELLS)}")
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    typer.echo(get_completion_script(prog_name="junction", complete_var="_JUNCTION_COMPLETE", shell=shell))


def complete_application(incomplete: str) -> list[str]:
    """Return the resolvers and stacks of the files below this folder. Nothing is imported."""
    found = []
    for path in islice(_files(Path()), _MOST_FILES):
        module = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        if not (module.startswith(incomplete.partition(":")[0]) or incomplete.startswith(module)):
            continue
        try:
            if path.stat().st_size > _MOST_BYTES:
                continue
            text = path.read_text(errors="replace")
        except OSError:
            continue
        found += [f"{module}:{one[1]}" for one in _RESOLVER.finditer(text)]
    return sorted(name for name in found if name.startswith(incomplete))


def _files(folder: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(
            one
            for one in folders
            if one.isidentifier() and one not in _NOT_SEARCHED and not Path(where, one, "pyvenv.cfg").exists()
        )
        yield from (Path(where, one) for one in sorted(files) if one.endswith(".py") and one[:-3].isidentifier())


def complete_sources(incomplete: str) -> list[str]:
    """Return the names of samples."""
    from router.testing.samples.named import NAMES

    return [name for name in NAMES if name.startswith(incomplete)]


def complete_options(ctx: Any, incomplete: str) -> list[str]:
    """Return the options of the sample that is named before."""
    from router.testing.samples.named import options_of

    # An option that has no value yet leaves what comes before it among the rest.
    source = ctx.params.get("source") or next(iter(ctx.args), "")
    try:
        return [f"{name}=" for name in options_of(source) if name.startswith(incomplete)]
    except ValueError:
        return []
