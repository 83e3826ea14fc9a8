"""The console script `junction`, also beside an application's own `router.py` or `adapters/`."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import router
from router.cli import app
from tests.unit.router.cli.processes import ROOT, junction, one_line, python, write

APPLICATION = """
from router import Event, Resolver

resolver = Resolver()

@resolver.on_queue("orders")
def order(event: Event) -> None: ...

@resolver.on_task("nightly")
def nightly() -> int:
    return 7
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    write(tmp_path, {"app.py": APPLICATION})
    return tmp_path


class TestJunction:
    def test_it_says_its_version(self, here: Path) -> None:
        assert junction("--version", cwd=here).stdout == f"junction {router.__version__}\n"
        assert python("-m", "router", "--version", cwd=here, path=(ROOT,)).stdout == f"junction {router.__version__}\n"

    def test_its_help_lists_the_commands(self, here: Path) -> None:
        done = junction("--help", cwd=here)

        assert done.returncode == 0
        assert "Usage: junction" in done.stdout
        assert all(
            f" {command} " in done.stdout for command in ("routes", "task", "worker", "indexes", "tokens", "vendor")
        )

    @pytest.mark.parametrize("command", ["", "routes", "task", "worker", "indexes", "tokens", "vendor"])
    def test_help_fits_80_columns_and_has_the_exit_statuses(self, command: str) -> None:
        done = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "80"})

        assert done.exit_code == 0
        assert 60 < max(map(len, done.stdout.splitlines())) <= 80
        assert "…" not in done.stdout  # nothing is cut
        assert "Exit status: 0" in " ".join(done.stdout.split()) or not command

    def test_routes_and_tasks_of_an_application_in_the_current_folder(self, here: Path) -> None:
        listed = junction("routes", "app:resolver", cwd=here)

        assert (listed.returncode, listed.stderr) == (0, "")
        assert "app.nightly" in listed.stdout
        assert junction("task", "app:resolver", "nightly", cwd=here).returncode == 7

    def test_the_current_folder_comes_before_what_pythonpath_names(self, here: Path) -> None:
        write(here, {"other/app.py": "raise ImportError('the wrong one')"})

        assert junction("routes", "app:resolver", cwd=here, path=(here / "other",)).returncode == 0

    def test_wrong_words(self, here: Path) -> None:
        done = junction("routes", "nowhere:resolver", cwd=here)

        assert done.returncode == 2
        told = f"error: APP 'nowhere:resolver': there is no module 'nowhere' here: neither in {here} nor on the path;"
        assert one_line(done.stderr).startswith(told)

    def test_without_the_extra_one_line_names_it(self, here: Path) -> None:
        write(here, {"hidden/typer.py": "raise ModuleNotFoundError(\"No module named 'typer'\", name='typer')"})
        done = junction("routes", "app:resolver", cwd=here, path=(here / "hidden",))

        assert done.returncode == 2
        assert one_line(done.stderr) == (
            'error: the command line needs typer and rich: pip install "lambda-junction[cli]"'
        )


class TestOwnRouter:
    """A `router.py` of the application: in Lambda it comes first, in this command the library does."""

    @pytest.fixture
    def here(self, here: Path) -> Path:
        write(here, {"router.py": "orders = 'of the application'", "own.py": "import router\nprint(router.orders)"})
        return here

    @pytest.mark.parametrize("path", [(), (".",)], ids=["", "PYTHONPATH=."])
    def test_a_command_works_and_warns(self, here: Path, path: tuple[str, ...]) -> None:
        done = junction("task", "app:resolver", "nightly", cwd=here, path=path)

        assert done.returncode == 7
        assert one_line(done.stderr).startswith(
            "warning: router.py has the name of the library's package router and comes first in Lambda: rename it"
        )

    @pytest.mark.parametrize("path", [(), (".",)], ids=["", "PYTHONPATH=."])
    def test_an_application_that_imports_its_own_is_told_what_happened(self, here: Path, path: tuple[str, ...]) -> None:
        done = junction("routes", "own:resolver", cwd=here, path=path)

        assert done.returncode == 2
        line = one_line(done.stderr)
        assert "module 'router' has no attribute 'orders' (own.py:2)" in line
        assert "`router` is the library here, not router.py" in line
        assert "junction vendor" in line

    def test_a_package_is_found_as_a_module_is(self, here: Path) -> None:
        (here / "router.py").unlink()
        write(here, {"router/__init__.py": ""})

        assert "warning: router/__init__.py has" in junction("routes", "app:resolver", cwd=here).stderr

    def test_a_folder_without_modules_is_in_nobodys_way(self, here: Path) -> None:
        (here / "router.py").unlink()
        (here / "router").mkdir()

        assert junction("routes", "app:resolver", cwd=here).stderr == ""

    def test_python_m_runs_the_own_one(self, here: Path) -> None:
        assert python("-m", "router", "--version", cwd=here, path=(ROOT,)).stdout == ""

    def test_what_is_no_library_at_all_is_told_in_one_line(self, here: Path) -> None:
        (here / "_junction_command.py").write_text((ROOT / "_junction_command.py").read_text())
        done = python("-c", "import _junction_command; _junction_command.main()", cwd=here)

        assert done.returncode == 2
        assert "router.py is not the library's package router" in one_line(done.stderr)


class TestOwnAdapters:
    """A package `adapters` of the application, which comes first in Lambda and in this command."""

    @pytest.fixture
    def here(self, here: Path) -> Path:
        write(here, {"adapters/__init__.py": "", "adapters/store.py": "name = 'own'"})
        write(here, {"app.py": f"{APPLICATION}\nimport adapters.store"})
        return here

    def test_what_needs_only_the_engine_works(self, here: Path) -> None:
        done = junction("task", "app:resolver", "nightly", cwd=here)

        assert (done.returncode, done.stderr) == (7, "")

    @pytest.mark.parametrize(
        "words", [["worker", "app:resolver", "orders"], ["indexes", "app:resolver"], ["tokens", "app:resolver", "list"]]
    )
    def test_what_needs_the_librarys_says_so(self, here: Path, words: list[str]) -> None:
        done = junction(*words, cwd=here)

        assert done.returncode == 2
        told = f"{words[0]} needs the library's package adapters, but adapters/__init__.py comes first on the path"
        assert told in one_line(done.stderr)

    def test_an_application_that_imports_the_librarys_is_told_what_happened(self, here: Path) -> None:
        write(here, {"app.py": "from adapters.sqs import Sqs"})
        line = one_line(junction("routes", "app:resolver", cwd=here).stderr)

        assert "No module named 'adapters.sqs'" in line
        assert "`adapters` is adapters/__init__.py here, not the library's package" in line
