"""Checks about the project itself: what is shipped, what it is called, and what its texts promise."""

from __future__ import annotations

import ast
import importlib
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import router
from scripts import audit, check_changelog

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("router", "adapters")
MADE_BY_TOOLS = {"build", "dist", "htmlcov", "node_modules", "__pycache__"}
COMMANDS = ("install", "lint", "test", "mutate", "test-lowest", "lock", "audit", "bench", "demo", "clean")

# A home directory or a temporary file: where somebody's checkout was, not what the project is about.
MACHINE_PATH = re.compile(r"(?<![\w.:/-])(?:/(?:home|Users)/\w+/|/(?:root|tmp)/\w|[A-Z]:\\Users\\)")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(target)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [built] = target.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        yield archive


def project_files() -> list[Path]:
    """Every file of the project itself: nothing that a tool made, no virtual environment, no cache."""
    found = []
    for folder, below, names in os.walk(ROOT):
        below[:] = [name for name in below if name not in MADE_BY_TOOLS and (name == ".ci" or name[0] != ".")]
        found += [Path(folder, name) for name in names if not name.startswith(".coverage")]
    return found


def package_modules() -> Iterator[tuple[str, ast.Module]]:
    """Each module of the packages as `(path from the root, syntax tree)`."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"), filename=str(path))


def test_changelog_and_version_agree() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    package = (ROOT / "router" / "__init__.py").read_text("utf-8")

    assert check_changelog.problems(changelog, package) == []


@pytest.mark.parametrize(
    ("changelog", "version", "problem"),
    [
        ("## [Unreleased]\n\n## [0.1.0] - 2025-01-31\n", "0.2.0", "ends at 0.1.0, router.__version__ is 0.2.0"),
        ("## [0.1.0] - 2025-01-31\n", "0.1.0", "first heading must be ## [Unreleased]"),
        ("## [Unreleased]\n", "0.1.0", "no release below"),
        ("## [Unreleased]\n\n## [0.1.0] - soon\n", "0.1.0", "write ## [0.1.0] - YYYY-MM-DD, not soon"),
    ],
)
def test_a_changelog_that_does_not_fit_the_version_is_told(changelog: str, version: str, problem: str) -> None:
    [told] = check_changelog.problems(changelog, f'__version__ = "{version}"\n')

    assert problem in told


def test_the_constraints_fit_what_is_asked_for_and_name_no_place() -> None:
    text = (ROOT / "constraints.txt").read_text("utf-8")
    held: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            fixed = Requirement(line)
            held.setdefault(canonicalize_name(fixed.name), []).append(next(iter(fixed.specifier)).version)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]

    assert "://" not in text
    for asked in [Requirement(one) for group in extras.values() for one in group]:
        if asked.name != "lambda-junction":
            versions = held.get(canonicalize_name(asked.name), [])
            assert versions, f"{asked} is not in constraints.txt: make lock"
            assert all(asked.specifier.contains(version) for version in versions), f"{asked}: {versions}; make lock"


@pytest.mark.parametrize(
    ("report", "status", "told"),
    [
        (None, 0, "nothing was checked"),
        ({"dependencies": []}, 0, "nothing was checked"),
        ({"dependencies": [{"name": "a", "skip_reason": "not found"}]}, 0, "nothing was checked"),
        ({"dependencies": [{"name": "a", "version": "1", "vulns": []}]}, 0, "1 packages checked, 0 not found, 0"),
        (
            {"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "X-1", "fix_versions": ["2"]}]}]},
            1,
            "a 1: X-1, mended in 2",
        ),
    ],
)
def test_an_audit_that_could_not_look_says_so(report: dict[str, Any] | None, status: int, told: str) -> None:
    given, lines = audit.verdict(report)

    assert given == status
    assert told in "\n".join(lines)


def test_the_wheel_holds_both_packages_the_script_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    shipped = set(wheel.namelist())
    sources = {path.relative_to(ROOT).as_posix() for name in PACKAGES for path in (ROOT / name).rglob("*.py")}

    assert {"router/py.typed", "adapters/py.typed"} <= shipped
    assert sources <= shipped
    folders = {name.partition("/")[0] for name in shipped}
    about = f"lambda_junction-{router.__version__}.dist-info"
    assert folders == {*PACKAGES, "_junction_command.py", about}
    assert wheel.read(f"{about}/entry_points.txt").decode() == "[console_scripts]\njunction = _junction_command:main\n"


def test_the_wheel_needs_orjson_alone(wheel: zipfile.ZipFile) -> None:
    [name] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    metadata = Parser().parsestr(wheel.read(name).decode())
    hard = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]

    assert metadata["Name"] == "lambda-junction"
    assert metadata["Version"] == router.__version__
    assert [re.split(r"[^\w-]", line)[0] for line in hard] == ["orjson"]


def test_every_extra_that_a_text_or_message_names_exists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    texts = [path for path in project_files() if path.suffix in {".py", ".md"} and path != Path(__file__)]
    named = {
        (extra.strip(), path.relative_to(ROOT).as_posix())
        for path in texts
        for extras in re.findall(r"lambda-junction\[([\w\s,-]+)\]", path.read_text("utf-8"))
        for extra in extras.split(",")
    }

    assert [(extra, where) for extra, where in sorted(named) if extra not in project["optional-dependencies"]] == []


def test_the_readme_and_the_extra_all_name_every_extra() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    users = extras.keys() - {"all", "bench", "dev"}
    [everything] = extras["all"]
    install = (ROOT / "README.md").read_text("utf-8").partition("## Install")[2].partition("\n## ")[0]

    assert set(everything.partition("[")[2].rstrip("]").split(",")) == users
    assert {extra for extra in users if f"`{extra}`" not in install and f"[{extra}]" not in install} == set()


def test_no_file_holds_a_path_of_somebodys_machine() -> None:
    here = [str(folder) for folder in (ROOT, Path.home(), Path(tempfile.gettempdir())) if len(folder.parts) > 2]
    found = []
    for path in project_files():
        text = path.read_bytes().decode("utf-8", errors="replace")
        matched = MACHINE_PATH.search(text)
        names = [matched.group()] if matched else [folder for folder in here if folder in text]
        found += [f"{path.relative_to(ROOT)}: {name}" for name in names]

    assert found == []


def test_every_public_name_can_be_imported() -> None:
    missing = [name for name in router.__all__ if not hasattr(importlib.import_module("router"), name)]

    assert missing == []
    assert len(set(router.__all__)) == len(router.__all__)


def test_a_star_import_gives_the_public_names() -> None:
    namespace: dict[str, object] = {}
    exec("from router import *", namespace)

    assert set(router.__all__) <= set(namespace)


def test_router_imports_adapters_only_inside_functions() -> None:
    """Which modules may import adapters at all is for import-linter, which does not tell lazy from eager."""
    eager = [
        f"{where}:{node.lineno}"
        for where, tree in package_modules()
        if where.startswith("router/")
        for node in at_import(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        if any(name.partition(".")[0] == "adapters" for name in imported(node))
    ]

    assert eager == []


def at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run when the module is imported: those outside functions and `if TYPE_CHECKING`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        yield node
        yield from at_import(node)


def imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]


def test_no_string_names_a_module_of_the_library() -> None:
    """A copy may live in another package: import by name goes from `__name__`. Loggers keep the library's name."""
    found = [
        f"{where}:{line}: {text}"
        for where, tree in package_modules()
        for line, text in strings(tree)
        if re.match(r"(?:router|adapters)\.[\w.]*$", text)
    ]

    assert found == []


def strings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Each string with its line, parts of f-strings among them; names of loggers aside."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "getLogger":
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        yield from strings(node)


def test_the_engine_imports_where_only_orjson_is_installed() -> None:
    """Each module of router, with every other distribution hidden.

    The command line, the local gateway, the plugin of pytest, what `OpenTelemetry` loads and what reads models of
    pydantic are left out: nothing works there without theirs.
    """
    engine = [
        where.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for where, _ in package_modules()
        if where.startswith("router/")
        and not re.match(
            r"router/(?:cli/|__main__\.py|local/|telemetry/otel_|testing/pytest_plugin|contract/schemas/modelled)",
            where,
        )
    ]
    script = f"""
import importlib, sys
sys.path.insert(0, {str(ROOT)!r})

class OnlyOrjson:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in ("router", "orjson"):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, OnlyOrjson())
for name in {engine!r}:
    importlib.import_module(name)
"""
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_make_without_a_target_lists_the_commands() -> None:
    done = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)

    assert re.findall(r"^  make (\S+)", done.stdout, re.MULTILINE) == ["help", *COMMANDS]
