"""The library on disk: what it is called here, which files it has, and what they need.

It may be an installed distribution, a checkout, or a copy that `junction vendor` made in another package.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from importlib.metadata import Distribution

DISTRIBUTION = "lambda-junction"
# "router", or the name that a copy has: "shop._junction.router".
PACKAGE = __name__.removesuffix(".cli.library")
IS_COPY = "." in PACKAGE
# The folder that holds both packages.
FOLDER = Path(__file__).resolve().parents[2]
PACKAGES = ("router", "adapters")
_OF_DEVELOPERS = {"dev", "bench"}


def sources() -> Iterator[tuple[str, Path]]:
    """Yield the files of both packages, each with its path below `FOLDER`; leave out what tools made.

    Raises:
        ConfigurationError: a package is not in a folder, since it was imported from an archive; or a file in it is a
            link to a place outside of it.
    """
    for package in PACKAGES:
        home = (FOLDER / package).resolve()
        if not (FOLDER / package / "__init__.py").is_file():
            raise ConfigurationError(f"the package {package} of the library is not in the folder {FOLDER}")
        for path in sorted((FOLDER / package).rglob("*")):
            below = path.relative_to(FOLDER)
            made_by_tools = any(part == "__pycache__" or part.startswith(".") for part in below.parts)
            if made_by_tools or path.suffix == ".pyc":
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(home):
                raise ConfigurationError(
                    f"{path} is a link to {path.resolve()}, outside of the library: install the library with copies of "
                    "its files (uv: --link-mode=copy), or remove the link"
                )
            if path.is_file():
                yield below.as_posix(), path


def license_text() -> str:
    """Return the text of the licence.

    Raises:
        ConfigurationError: it is neither in a checkout nor in an installed distribution.
    """
    if _project() is not None:
        return (FOLDER / "LICENSE").read_text("utf-8")
    distribution = _distribution()
    text = distribution.read_text("licenses/LICENSE") if distribution else None
    if text is None:
        raise ConfigurationError(f"{FOLDER} has no LICENSE of {DISTRIBUTION}: install the library with pip")
    return text


def requirements() -> dict[str, list[str]]:
    """Return what each extra needs; under the empty name what the library always needs.

    An extra that names other extras gets their requirements. Those for work on the library itself are left out.
    """
    project = _project()
    if project is not None:
        named: dict[str, list[str]] = {"": project["dependencies"], **project["optional-dependencies"]}
    else:
        distribution = _distribution()
        named = _by_extra((distribution.requires if distribution else None) or [])
    return {extra: sorted(set(_flat(extra, named))) for extra in sorted(named.keys() - _OF_DEVELOPERS)}


def _project() -> Mapping[str, Any] | None:
    """Return the table `project` of pyproject.toml where the library runs from a checkout, otherwise None."""
    import tomllib

    try:
        text = (FOLDER / "pyproject.toml").read_text("utf-8")
    except OSError:
        return None
    project = tomllib.loads(text).get("project", {})
    return project if project.get("name") == DISTRIBUTION else None


def _distribution() -> Distribution | None:
    """Return the installed distribution beside the packages; one elsewhere on the path may be of another version."""
    from importlib.metadata import distributions

    return next(iter(distributions(name=DISTRIBUTION, path=[str(FOLDER)])), None)


def _by_extra(lines: Iterable[str]) -> dict[str, list[str]]:
    """Sort lines of `Requires-Dist`, such as `boto3>=1.34; extra == 'aws'`."""
    named: dict[str, list[str]] = {"": []}
    for line in lines:
        requirement, _, marker = line.partition(";")
        extra = re.search(r"""extra\s*==\s*["']([\w.-]+)["']""", marker)
        named.setdefault(extra[1] if extra else "", []).append(requirement.strip())
    return named


def _flat(extra: str, named: Mapping[str, list[str]]) -> Iterator[str]:
    for requirement in named.get(extra, ()):
        others = re.fullmatch(rf"{DISTRIBUTION}\[([\w, .-]+)\]", requirement)
        if others is None:
            yield _canonical(requirement)
        else:
            for other in others[1].split(","):
                yield from _flat(other.strip(), named)


def _canonical(requirement: str) -> str:
    """Return a requirement as a wheel has it, where a pyproject.toml has it as it was written."""
    name, *versions = re.split("(?=[<>=!~])", requirement, maxsplit=1)
    named = re.sub(r"[-_.]+", "-", name.strip()).lower()
    return named + ",".join(sorted(one.strip() for each in versions for one in each.split(",")))
