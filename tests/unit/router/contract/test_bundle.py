"""What a check finds in the package that is uploaded."""

from __future__ import annotations

import compileall
import py_compile
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from router.cli import app
from router.contract.checking.bundle import Bundle, check_bundle
from router.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[4]
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
ELF = b"\x7fELF" + bytes(14)


def library(home: Path) -> Path:
    """Copy the library into a folder, with byte code that is taken without a look."""
    for package in ("router", "adapters"):
        shutil.copytree(ROOT / package, home / package, ignore=shutil.ignore_patterns("__pycache__"))
    (home / "shop.py").write_text("def handler(event, context): ...\n")
    compile_all(home)
    return home


def compile_all(home: Path) -> None:
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(home, quiet=2, invalidation_mode=mode)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return library(tmp_path_factory.mktemp("bundle"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A small package of its own, without the library."""
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "shop.py").write_text("def handler(event, context): ...\n")
    compile_all(tmp_path / "build")
    return tmp_path / "build"


def package(home: Path, name: str, text: str = "") -> Path:
    (home / name).mkdir(parents=True)
    (home / name / "__init__.py").write_text(text)
    compile_all(home)
    return home


def found(
    *homes: Path, handler: str = "shop.handler", runtime: str = RUNTIME, architecture: str = "arm64"
) -> list[Any]:
    held = check_bundle([Bundle(home) for home in homes], handler, runtime, architecture)
    return [(one.rule, one.level, one.text) for one in held]


def rules(*homes: Path, **settings: str) -> list[str]:
    return [rule for rule, _, _ in found(*homes, **settings)]


def test_in_order(made: Path) -> None:
    assert found(made) == []


def test_an_archive_is_read_as_a_folder_is(made: Path, tmp_path: Path) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "bundle"), "zip", made))
    assert found(archive) == []
    assert Bundle(archive).size == Bundle(made).size


def test_without_byte_code(home: Path) -> None:
    shutil.rmtree(home / "__pycache__")
    [(rule, level, text)] = found(home)
    assert (rule, level) == ("byte-code", "warning")
    assert "1 modules and no byte code" in text


def test_byte_code_that_asks_for_the_time_of_its_source(home: Path) -> None:
    compileall.compile_dir(home, quiet=2, force=True, invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP)
    [(rule, _, text)] = found(home)
    assert rule == "byte-code"
    assert "1 of 1 files of byte code are compared" in text


def test_byte_code_of_another_python(home: Path) -> None:
    [(rule, _, text)] = found(home, runtime="python3.99")
    assert rule == "byte-code"
    assert "of another Python than python3.99" in text


def test_packages_of_one_name_that_were_merged(tmp_path: Path, made: Path) -> None:
    home = tmp_path / "build"
    shutil.copytree(made, home)
    (home / "adapters" / "own.py").write_text("")
    compile_all(home)
    [(rule, level, text)] = found(home)
    assert (rule, level) == ("merged", "error")
    assert "adapters holds the library and 1 other modules (adapters/own.py)" in text
    (home / "adapters" / "own.py").unlink()
    (home / "router" / "event.py").unlink()
    assert "router lacks 1 modules of the library (router/event.py)" in found(home)[0][2]


def test_another_package_of_this_name_is_somebody_elses(home: Path) -> None:
    assert rules(package(home, "router", "mine = 1\n")) == []


def test_boto3_twice(home: Path, tmp_path: Path) -> None:
    package(home, "boto3")
    package(home, "botocore")
    assert found(home) == []  # one of the application's own is good practice
    layer = tmp_path / "layer"
    package(layer, "python/boto3")
    assert ("twice", "error") in [(rule, level) for rule, level, _ in found(home, layer)]


def test_a_vendored_part_is_no_second_copy(home: Path) -> None:
    package(home, "aws/thing/boto3")
    assert rules(home) == []


def test_a_library_for_another_machine(home: Path) -> None:
    (home / "fast.cpython-313-x86_64-linux-gnu.so").write_bytes(ELF + b"\x3e\x00")
    assert rules(home, architecture="x86_64") == []
    [(rule, _, text)] = found(home)
    assert rule == "architecture"
    assert "is for x86_64, and the function runs on arm64" in text


def test_a_library_of_a_mac(home: Path) -> None:
    (home / "fast.cpython-313-darwin.so").write_bytes(b"\xcf\xfa\xed\xfe" + bytes(16))
    assert rules(home) == ["architecture"]


def test_tools_of_developers(home: Path) -> None:
    assert rules(package(home, "pytest")) == ["developers"]


def test_the_module_of_the_handler_is_missing(home: Path) -> None:
    [(rule, level, text)] = found(home, handler="store.app.handler")
    assert (rule, level) == ("handler", "error")
    assert "it has no store/app.py" in text


def test_more_than_lambda_takes(home: Path) -> None:
    with (home / "data.bin").open("wb") as file:
        file.truncate(251 * 1024 * 1024)
    [(rule, level, text)] = found(home)
    assert (rule, level) == ("size", "error")
    assert "the largest are data.bin 251.0 MB" in text


def test_by_command(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    name = "tests.unit.router.contract.checked:resolver"
    result = CliRunner().invoke(app, ["check", name, "--offline", "--bundle", str(made)])
    assert result.exit_code == 0, result.stdout
    assert f"{made}: " in result.stdout
    assert "MB unpacked (router" in result.stdout


@pytest.mark.parametrize("kind", ["missing", "empty", "text"])
def test_what_is_no_package(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    path = tmp_path / "build"
    if kind == "empty":
        path.mkdir()
    elif kind == "text":
        path.write_text("no archive")
    name = "tests.unit.router.contract.checked:resolver"
    result = CliRunner().invoke(app, ["check", name, "--offline", "--bundle", str(path)])
    assert result.exit_code == 2
    assert str(path) in result.stderr


def test_a_hostile_archive_is_only_listed(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../outside.py", "raise SystemExit")
        archive.writestr("shop.py", "")
    assert rules(path) == ["byte-code"]
    assert not (tmp_path.parent.parent / "outside.py").exists()


# ---- packages that look odd ------------------------------------------------------------------------------------------


def archive(path: Path, *names: str, content: bytes = b"") -> Path:
    with zipfile.ZipFile(path, "w") as held:
        for name in names:
            held.writestr(name, content)
    return path


def test_folders_that_links_name_are_in_the_package(home: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "pytest").mkdir(parents=True)
    (tmp_path / "elsewhere" / "pytest" / "__init__.py").write_text("")
    (home / "pytest").symlink_to(tmp_path / "elsewhere" / "pytest")
    for name, target in (("loop", home), ("above", tmp_path), ("root", Path("/")), ("self", home / "self")):
        (home / name).symlink_to(target)
    assert rules(home) == ["developers"]


def test_a_deep_folder(home: Path) -> None:
    below = [home]
    for _ in range(1100):
        below.append(below[-1] / "d")
        below[-1].mkdir()
    (below[-1] / "x.py").write_text("")
    try:
        assert any(len(one.path.parts) > 1100 for one in Bundle(home).files)
    finally:  # others would go down step by step, and fail
        (below[-1] / "x.py").unlink()
        for one in reversed(below[1:]):
            one.rmdir()


@pytest.mark.parametrize("inner", ["python", "python/lib/python3.13/site-packages"])
def test_a_layer_is_read_where_python_looks(home: Path, tmp_path: Path, made: Path, inner: str) -> None:
    layer = tmp_path / "layer" / inner
    shutil.copytree(made, layer)
    assert found(home, tmp_path / "layer") == []
    (layer / "router" / "theirs.py").write_text("")
    package(layer, "pytest")
    assert set(rules(home, tmp_path / "layer")) == {"developers", "merged"}
    assert "pytest" in {name for name, _ in Bundle(tmp_path / "layer").largest(50)}


def test_the_handler_may_be_in_a_layer(home: Path, tmp_path: Path) -> None:
    layer = package(tmp_path / "layer" / "python", "other").parent
    assert rules(home, handler="other.handler") == ["handler"]
    assert found(home, layer, handler="other.handler") == []
    assert rules(layer, home, handler="other.handler") == ["handler"]


def test_what_is_not_known_is_no_fault(home: Path) -> None:
    (home / "x.so").write_bytes(ELF + b"\x3e\x00")
    (home / "__pycache__" / "y.cpython-300.pyc").write_bytes(b"a\r\r\n\x01" + bytes(11))
    assert found(home, runtime="*", architecture="*") == []
    assert found(home, runtime="provided.al2023", architecture="x86_64") == []


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("libc.so", b"INPUT(libc.so.6)", []),
        ("empty.so", b"", []),
        ("x.cp313-win_amd64.pyd", b"MZ" + bytes(30), ["architecture"]),
    ],
)
def test_libraries_that_are_none(home: Path, name: str, content: bytes, rule: list[str]) -> None:
    (home / name).write_bytes(content)
    assert rules(home) == rule


def test_archives_with_names_that_are_none(tmp_path: Path) -> None:
    held = archive(tmp_path / "a.zip", "/", ".", "../x.py", "shop.py")
    assert rules(held) == ["byte-code"]


def test_an_archive_that_cannot_be_unpacked(tmp_path: Path) -> None:
    held = archive(tmp_path / "a.zip", "x.so", content=b"a" * 50)
    text = bytearray(held.read_bytes())
    for sign, offset in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        text[text.find(sign) + offset] |= 1  # encrypted
    held.write_bytes(text)
    with pytest.raises(ConfigurationError, match="encrypted"):
        Bundle(held)


@pytest.mark.parametrize(
    ("told", "fault"),
    [("[arm64]", True), ("[!If [A, arm64, x86_64]]", False), ("!If [A, [arm64], [x86_64]]", False), ("x", True)],
)
def test_an_architecture_that_a_condition_chooses(
    told: str, fault: bool, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    (home / "x.so").write_bytes(ELF + b"\x3e\x00")
    file = tmp_path / "template.yaml"
    properties = f"{{Handler: shop.handler, Architectures: {told}}}"
    file.write_text(f"Resources: {{Shop: {{Type: AWS::Lambda::Function, Properties: {properties}}}}}")
    name = "tests.unit.router.contract.checked:resolver"
    result = CliRunner().invoke(app, ["check", name, "--template", str(file), "--bundle", str(home)])
    assert ("[architecture]" in result.stdout.replace("\n", "")) == fault
