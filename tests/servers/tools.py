"""The programs of other languages that some servers need, and how to get them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass

JAVA_OPTIONS = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xmx512m")
"""Options of a small server that starts twice as fast."""

_VERSION_TIMEOUT_S = 30


class MissingTool(Exception):
    """A program is not installed, or too old; the message says in one line what to install."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A program, the version it must have at least, and the Debian package it comes from.

    variable: of the environment; it may name another path of the program.
    """

    title: str
    command: str
    version_option: str
    minimum: tuple[int, ...]
    package: str
    variable: str | None = None


TOOLS = {
    "java": Tool("Java", "java", "-version", (17,), "default-jre-headless"),
    "javac": Tool("The Java compiler", "javac", "-version", (17,), "default-jdk-headless"),
    "maven": Tool("Maven", "mvn", "--version", (3, 6), "maven"),
    "node": Tool("Node.js", "node", "--version", (18,), "nodejs"),
    "npm": Tool("npm", "npm", "--version", (7,), "npm"),
    "go": Tool("Go", "go", "version", (1, 22), "golang-go"),
    "chromium": Tool("Chromium", "chromium", "--version", (120,), "chromium", "CHROMIUM"),
}


def in_ci() -> bool:
    """Whether this is a run that has to have everything: CI=true is set."""
    return os.environ.get("CI", "").lower() in {"true", "1"}


def find(name: str) -> str:
    """The path of a program of `TOOLS`; raises MissingTool when it is not there in the version it must have."""
    tool = TOOLS[name]
    named = os.environ.get(tool.variable, "") if tool.variable else ""
    path = shutil.which(named or tool.command)
    wanted = f"{tool.title} {'.'.join(map(str, tool.minimum))} or newer"
    if path is None and named:
        raise MissingTool(f"{wanted} is missing: {tool.variable} names {named}, which is not a program")
    if path is None:
        other = f", or name its path in {tool.variable}" if tool.variable else ""
        raise MissingTool(f"{wanted} is missing: install the Debian package {tool.package}{other}")
    version = _version(path, tool.version_option)
    if version < tool.minimum:
        found = ".".join(map(str, version)) or "one that tells no version"
        raise MissingTool(f"{wanted} is needed, found {found}: install a newer Debian package {tool.package}")
    return path


def _version(path: str, option: str) -> tuple[int, ...]:
    """The first version number that the program prints, empty when it prints none."""
    try:
        done = subprocess.run([path, option], capture_output=True, text=True, timeout=_VERSION_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    # Maven sets its name in bold, by an escape sequence with a digit of its own.
    found = re.search(r"(?<!\[)\d+(\.\d+)*", done.stdout + done.stderr)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
