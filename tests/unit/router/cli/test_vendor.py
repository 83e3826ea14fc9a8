"""`junction vendor`: a copy of the library in a package of the application."""

from __future__ import annotations

import hashlib
import json
import os
import re
import resource
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import router
from router.cli import app, copies, library
from router.errors import ConfigurationError
from tests.unit.router.cli.processes import ROOT, junction, one_line, python, write

APPLICATION = """
import adapters.store
import router

from shop._junction.adapters.sqs import Sqs
from shop._junction.router import Resolver

resolver = Resolver()
sqs = Sqs()

@resolver.on_task(router.task)
def nightly() -> int:
    return adapters.store.answer
"""
FILES = {
    "router.py": "task = 'nightly'",
    "adapters/__init__.py": "",
    "adapters/store.py": "answer = 7",
    "shop/__init__.py": "",
    "shop/app.py": APPLICATION,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An application with modules of the library's names, and a copy in it. Tests do not change it."""
    folder = tmp_path_factory.mktemp("application")
    write(folder, FILES)
    done = junction("vendor", "shop/_junction", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1] == "Import it with: from shop._junction.router import Resolver"
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty package of an application, in the current folder."""
    write(tmp_path, {"shop/__init__.py": ""})
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module", autouse=True)
def one_copy() -> Iterator[None]:
    """Make a copy once for each name of a package: the library does not change meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copies, "make_copy", cache(copies.make_copy))
        yield


def vendor(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["vendor", *arguments])


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class TestTheCopy:
    """What is in it, and that an application runs with it."""

    def test_an_application_with_own_modules_of_these_names_runs(self, made: Path) -> None:
        done = python("-m", "shop._junction.router", "task", "shop.app:resolver", "nightly", cwd=made)

        assert (done.returncode, done.stderr) == (7, "")

    def test_every_module_is_imported_without_the_library(self, made: Path) -> None:
        """Names that are loaded when they are first used are among it."""
        script = """
import importlib, pkgutil, sys
sys.meta_path.insert(0, type("Blocked", (), {"find_spec": staticmethod(blocked)}))
import shop._junction
found = 0
for module in pkgutil.walk_packages(shop._junction.__path__, "shop._junction."):
    loaded = importlib.import_module(module.name)
    for name in getattr(loaded, "__all__", ()):
        getattr(loaded, name)
    found += 1
print(found)
"""
        blocked = (
            "def blocked(name, path=None, target=None):\n"
            "    if name.partition('.')[0] in ('router', 'adapters'):\n"
            "        raise ModuleNotFoundError(name, name=name)\n"
        )
        done = python("-c", blocked + script, cwd=made)

        assert done.returncode == 0, done.stderr
        modules = [path for package in ("router", "adapters") for path in (ROOT / package).rglob("*.py")]
        assert int(done.stdout) == len(modules)

    def test_the_marker_names_version_package_and_hashes(self, made: Path) -> None:
        copy = made / "shop" / "_junction"
        marker = json.loads((copy / "junction.json").read_text())
        held = {name: hashlib.sha256(text).hexdigest() for name, text in content(copy).items()}
        del held["junction.json"]

        assert (marker["library"], marker["version"]) == ("lambda-junction", router.__version__)
        assert marker["package"] == "shop._junction"
        assert any(one.startswith("boto3>=") for one in marker["requires"]["aws"])
        assert marker["files"] == held

    def test_licence_and_types_come_along_and_byte_code_does_not(self, made: Path) -> None:
        names = content(made / "shop" / "_junction").keys()

        assert {"LICENSE", "py.typed", "router/py.typed", "adapters/py.typed"} <= names
        assert not [name for name in names if "__pycache__" in name]

    def test_messages_ask_for_what_an_extra_needs_and_not_for_the_library(self, made: Path) -> None:
        write(made, {"hidden/typer.py": "raise ModuleNotFoundError(\"No module named 'typer'\", name='typer')"})
        done = python("-m", "shop._junction.router", cwd=made, path=(made / "hidden",))

        assert done.returncode == 2
        assert one_line(done.stderr) == (
            'error: the command line needs typer and rich: pip install "rich>=13.7" "typer>=0.16"'
        )
        assert [name for name, text in content(made / "shop/_junction").items() if b"lambda-junction[" in text] == []

    def test_its_commands_know_what_they_are(self, made: Path) -> None:
        version = python("-m", "shop._junction.router", "--version", cwd=made)
        refused = python("-m", "shop._junction.router", "vendor", "shop/_other", cwd=made)

        assert version.stdout == f"junction {router.__version__}, a copy: shop._junction.router\n"
        assert refused.returncode == 2
        assert "shop._junction.router is a copy itself: run `junction vendor`" in one_line(refused.stderr)

    def test_the_command_of_another_copy_names_the_right_one(self, made: Path) -> None:
        write(made, {"plain.py": "from shop._junction.router import Resolver\nresolver = Resolver()"})
        done = junction("routes", "plain:resolver", cwd=made)

        assert done.returncode == 2
        assert "use `python -m shop._junction.router` instead" in one_line(done.stderr)


def test_a_copy_from_an_installation_is_the_same(made: Path, tmp_path: Path) -> None:
    """Licence and requirements come from the wheel's metadata there, and from the checkout here."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path / "wheel")]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    [wheel] = (tmp_path / "wheel").glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    write(tmp_path, {"shop/__init__.py": ""})
    script = "from _junction_command import main; main()"
    done = python("-c", script, "vendor", "shop/_junction", cwd=tmp_path, path=(tmp_path / "installed",))

    assert (done.returncode, done.stderr) == (0, "")
    assert content(tmp_path / "shop/_junction") == content(made / "shop/_junction")


def test_the_example_of_the_docs_runs(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "commands.md").read_text()
    for path, text in re.findall(r"^```py\n# (\S+)\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        write(tmp_path, {path: text})
    [console] = re.findall(r"^```console\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    for command in console.split("$ ")[1:]:
        line, _, expected = command.partition("\n")
        program, *arguments = line.split()
        done = {"junction": junction, "python": python}[program](*arguments, cwd=tmp_path)

        assert (done.returncode, done.stderr) == (0, ""), line
        expected = re.escape(expected.replace("0.1.0", router.__version__)).replace(re.escape("..."), ".*")
        assert re.fullmatch(expected, done.stdout), line


class TestTheNextRun:
    """A copy that is there already: current, older, or changed by hand."""

    @pytest.fixture
    def copy(self, here: Path) -> Path:
        copies.replace(here / "shop" / "_junction", copies.make_copy("shop._junction"))
        return here / "shop" / "_junction"

    @pytest.fixture
    def older(self, copy: Path) -> Path:
        """As an older version would have made it."""
        marker = json.loads((copy / "junction.json").read_text())
        (copy / "router" / "event.py").write_text("old = True\n")
        (copy / "router" / "gone.py").write_text("")
        for name in ("event", "gone"):
            text = (copy / "router" / f"{name}.py").read_bytes()
            marker["files"][f"router/{name}.py"] = hashlib.sha256(text).hexdigest()
        (copy / "junction.json").write_text(json.dumps({**marker, "version": "0.0.9"}))
        return copy

    def test_a_current_copy_is_left_alone(self, copy: Path) -> None:
        before = copy.stat()
        (copy / "router" / "__pycache__").mkdir()
        (copy / "router" / "__pycache__" / "event.cpython-311.pyc").write_bytes(b"byte code is no edit")
        done = vendor("shop/_junction")

        assert done.exit_code == 0
        assert done.stdout == f"shop/_junction is current: lambda-junction {router.__version__} as shop._junction\n"
        assert copy.stat().st_ino == before.st_ino
        assert vendor("shop/_junction", "--check").exit_code == 0

    def test_an_older_one_is_told_and_updated(self, older: Path) -> None:
        checked = vendor("shop/_junction", "--check")

        assert checked.exit_code == 1
        assert f"it is version 0.0.9, and the library is {router.__version__}" in one_line(checked.stderr)
        assert (older / "router" / "gone.py").exists()
        assert vendor("shop/_junction").exit_code == 0
        assert vendor("shop/_junction", "--check").exit_code == 0
        assert not (older / "router" / "gone.py").exists()

    @pytest.mark.parametrize("version", [router.__version__, "0.0.9"])
    def test_one_that_was_changed_by_hand_is_told_and_kept(self, copy: Path, version: str) -> None:
        with (copy / "router" / "event.py").open("a") as file:
            file.write("\n# mine\n")
        (copy / "mine.py").touch()
        (copy / "router" / "errors.py").unlink()
        marker = (copy / "junction.json").read_text().replace(f'"{router.__version__}"', f'"{version}"')
        (copy / "junction.json").write_text(marker)
        before = content(copy)
        done, checked = vendor("shop/_junction"), vendor("shop/_junction", "--check", "--force")

        told = "added mine.py, edited router/event.py, removed router/errors.py"
        assert done.exit_code == checked.exit_code == 1
        assert one_line(done.stderr) == f"error: shop/_junction was changed by hand; --force discards that: {told}"
        assert told in one_line(checked.stderr)
        assert content(copy) == before
        assert vendor("shop/_junction", "--force").exit_code == 0
        assert vendor("shop/_junction", "--check").exit_code == 0

    def test_ends_of_lines_are_no_edit(self, copy: Path) -> None:
        path = copy / "router" / "event.py"
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

        assert vendor("shop/_junction", "--check").exit_code == 0

    def test_another_name_of_the_package_is_an_update(self, copy: Path) -> None:
        name = ("shop/_junction", "--package", "other.shop._junction")

        assert "it is the package shop._junction, not other" in one_line(vendor(*name, "--check").stderr)
        assert vendor(*name).exit_code == 0
        assert "from other.shop._junction.router.event" in (copy / "router" / "resolver.py").read_text()
        # Without the option it keeps the name that it has.
        assert "as other.shop._junction" in vendor("shop/_junction").stdout

    def test_a_marker_that_cannot_be_read_is_told(self, copy: Path) -> None:
        (copy / "junction.json").write_text("<<<<<<< HEAD")
        done = vendor("shop/_junction", "--force")

        assert done.exit_code == 2
        assert "junction.json cannot be read: remove the folder" in one_line(done.stderr)

    def test_a_marker_that_is_nested_too_deeply_is_told(self, copy: Path) -> None:
        (copy / "junction.json").write_text("[" * 100_000 + "]" * 100_000)
        done = vendor("shop/_junction", "--check")

        assert done.exit_code == 2
        assert "junction.json cannot be read: remove the folder" in one_line(done.stderr)

    def test_a_link_in_the_place_of_a_file_is_an_edit_and_is_not_read(self, copy: Path, tmp_path: Path) -> None:
        event = copy / "router" / "event.py"
        (tmp_path / "elsewhere.py").write_bytes(event.read_bytes())
        event.unlink()
        event.symlink_to(tmp_path / "elsewhere.py")
        os.mkfifo(copy / "router" / "pipe")
        (copy / "router" / "loop").symlink_to(copy)
        done = vendor("shop/_junction")

        assert done.exit_code == 1
        told = one_line(done.stderr)
        assert all(part in told for part in ("replaced router/event.py", "added router/pipe", "added router/loop"))
        assert vendor("shop/_junction", "--force").exit_code == 0
        assert not event.is_symlink()
        assert (tmp_path / "elsewhere.py").is_file()

    def test_a_marker_that_is_a_link_makes_no_copy(self, copy: Path, tmp_path: Path) -> None:
        (copy / "junction.json").rename(tmp_path / "marker.json")
        (copy / "junction.json").symlink_to(tmp_path / "marker.json")
        done = vendor("shop/_junction", "--force")

        assert done.exit_code == 2
        assert "is not a copy of the library and is left alone" in one_line(done.stderr)

    def test_a_link_to_the_folder_stays_one(self, older: Path, here: Path) -> None:
        (here / "other").mkdir()
        (here / "other" / "_junction").symlink_to(older)

        assert vendor("other/_junction").exit_code == 0
        assert (here / "other" / "_junction").is_symlink()
        assert vendor("shop/_junction", "--check").exit_code == 0


class TestWhatCannotBe:
    def test_a_link_that_leaves_the_library_is_not_followed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(tmp_path, {"lib/router/__init__.py": "", "lib/adapters/__init__.py": "", "secret.py": "key = 1"})
        monkeypatch.setattr(library, "FOLDER", tmp_path / "lib")
        (tmp_path / "lib" / "router" / "again.py").symlink_to("__init__.py")
        assert [name for name, _ in library.sources()] == [
            *("router/__init__.py", "router/again.py", "adapters/__init__.py"),
        ]
        for target in ("secret.py", ".", "nowhere.py"):
            link = tmp_path / "lib" / "router" / "link.py"
            link.symlink_to(tmp_path / target)
            with pytest.raises(ConfigurationError, match="outside of the library"):
                list(library.sources())
            link.unlink()

    @pytest.mark.parametrize(
        ("name", "told"),
        [
            ("", "'' is not the name of a package"),
            ("a-b._junction", "'a-b._junction' is not the name of a package"),
            ("shop..x", "'shop..x' is not the name of a package"),
            ("shop.class", "'shop.class' is not the name of a package"),
            ("json._junction", "the standard library has a module json"),
            ("shop.lib", "the folder must have the name lib, not _junction"),
        ],
    )
    def test_a_name_of_no_package(self, here: Path, name: str, told: str) -> None:
        done = vendor("shop/_junction", "--package", name)

        assert done.exit_code == 2
        assert told in one_line(done.stderr)
        assert not (here / "shop" / "_junction").exists()

    def test_a_folder_whose_name_is_no_package(self, here: Path) -> None:
        assert "'shop.my-lib' is not the name of a package" in one_line(vendor("shop/my-lib").stderr)

    @pytest.mark.parametrize("folder", ["there.py", "there"])
    def test_something_else_is_never_overwritten(self, here: Path, folder: str) -> None:
        write(here, {"there.py": "mine", "there/file.txt": "mine"})
        before = content(here)
        done = vendor(folder, "--force", "--package", "there")

        assert done.exit_code == 2
        assert "is not a copy of the library and is left alone" in one_line(done.stderr)
        assert content(here) == before

    @pytest.mark.parametrize(
        ("folder", "told"),
        [("nowhere/_junction", "there is no folder"), (".", "is the current folder"), ("", "is the current folder")],
    )
    def test_a_folder_that_cannot_be_made(self, here: Path, folder: str, told: str, monkeypatch: Any) -> None:
        (here / "empty").mkdir()
        monkeypatch.chdir(here / "empty")
        done = vendor(folder)

        assert done.exit_code == 2
        assert told in one_line(done.stderr)

    def test_a_folder_inside_of_the_library(self) -> None:
        done = vendor(str(ROOT / "router" / "_copy"), "--package", "router._copy")

        assert done.exit_code == 2
        assert "is inside of the library itself" in one_line(done.stderr)

    def test_an_empty_folder_is_taken(self, here: Path) -> None:
        (here / "shop" / "_junction").mkdir()

        assert vendor("shop/_junction").exit_code == 0

    def test_check_without_a_copy(self, here: Path) -> None:
        done = vendor("shop/_junction", "--check")

        assert done.exit_code == 1
        assert one_line(done.stderr) == "shop/_junction is not current: there is no copy"


class TestNothingIsHalfWritten:
    def test_a_full_disk_leaves_what_was_there(self, here: Path) -> None:
        """A limit on the size of files fails in the middle of them, as a full disk does."""
        write(here, {"limited.py": "from _junction_command import main\nmain()"})
        limit = 12_000
        done = python(
            *("limited.py", "vendor", "shop/_junction"),
            cwd=here,
            path=(ROOT,),
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        )

        assert done.returncode == 1
        assert "error: shop/_junction cannot be written: " in one_line(done.stderr)
        assert os.listdir(here / "shop") == ["__init__.py"]

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_folder_that_is_read_only(self, here: Path) -> None:
        (here / "shop").chmod(0o555)
        done = vendor("shop/_junction")

        assert done.exit_code == 1
        assert "cannot be written: " in one_line(done.stderr)

    def test_the_old_copy_comes_back_when_the_new_one_cannot_take_its_place(
        self, here: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = here / "shop" / "_junction"
        copies.replace(folder, {"old.py": b""})
        rename = Path.rename

        def fail(self: Path, target: Path) -> Path:
            if self.name == "new":
                raise OSError("no")
            return rename(self, target)

        monkeypatch.setattr(Path, "rename", fail)
        with pytest.raises(OSError, match="no"):
            copies.replace(folder, {"new.py": b""})

        assert content(here / "shop") == {"__init__.py": b"", "_junction/old.py": b""}
