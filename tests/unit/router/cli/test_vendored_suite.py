"""The engine's contract on a copy of the library: its tests run there, rewritten like the copy, without the library."""

from __future__ import annotations

import re
from pathlib import Path

from router.cli import copies
from router.cli.rewriting import rewrite
from tests.unit.router.cli.processes import ROOT, python, write

PACKAGE = "shop._junction"
# What is fast and what every application needs.
SUITE = [
    # In a copy an error names what the extra needs.
    "--deselect=tests/unit/adapters/test_messaging.py::TestPydantic::test_other_types_need_pydantic",
    *("tests/unit/router/test_contract.py", "tests/unit/router/test_resolver.py"),
    *("tests/unit/router/test_router.py", "tests/unit/router/test_session.py"),
    *("tests/unit/router/dispatch", "tests/unit/router/middleware", "tests/unit/router/sources/test_read.py"),
    *("tests/unit/adapters/test_messaging.py", "tests/unit/adapters/test_sending.py"),
]
CONFTEST = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("router", "adapters"):
            raise ModuleNotFoundError(f"the library is not to be imported: {name}", name=name)

sys.meta_path.insert(0, Blocked())
"""
SETTINGS = """
[pytest]
pythonpath = .
addopts = --import-mode=importlib --strict-markers -p no:cacheprovider
filterwarnings = error
"""


def test_the_contract_holds_on_a_copy(tmp_path: Path) -> None:
    write(tmp_path, {"shop/__init__.py": "", "tests/__init__.py": "", "conftest.py": CONFTEST, "pytest.ini": SETTINGS})
    copies.replace(tmp_path / "shop" / "_junction", copies.make_copy(PACKAGE))
    roots = {name: f"{PACKAGE}.{name}" for name in ("router", "adapters")}
    for path in (ROOT / "tests" / "unit").rglob("*.py"):
        text = rewrite(path.read_text("utf-8"), roots)
        write(tmp_path, {path.relative_to(ROOT).as_posix(): text})
    done = python("-m", "pytest", "-q", *SUITE, cwd=tmp_path, timeout=110)

    assert done.returncode == 0, done.stdout[-4000:]
    [passed] = re.findall(r"^(\d+) passed", done.stdout, re.MULTILINE)
    assert int(passed) > 1500
