"""What has to be fetched or built before some servers can run, kept in the cache folder of the repository."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.servers.commands import run
from tests.servers.debian import DebianProgram
from tests.servers.locations import CACHE, SERVERS
from tests.servers.tools import find


@dataclass(frozen=True, slots=True)
class Artefact:
    """The files of one server, made from files of this repository with tools of other languages.

    Attributes:
        name: The name of the server and of its folder in the cache.
        tools: What making and running it needs, names of `tests.servers.tools.TOOLS`.
        sources: What it is made from; it is made anew when one of them has changed.
        make: Puts the files into the folder it is given.
    """

    name: str
    tools: tuple[str, ...]
    sources: tuple[Path, ...]
    make: Callable[[Path], None]

    @property
    def folder(self) -> Path:
        """Where the files are when `is_present`."""
        return CACHE / self.name

    @property
    def is_present(self) -> bool:
        """Whether the files are there, made from the sources as they are now."""
        marker = self._marker(self.folder)
        return marker.exists() and marker.read_text(encoding="ascii") == self._digest()

    def fetch(self) -> bool:
        """Makes the files unless they are present; True when it had to.

        Raises MissingTool when a tool is missing, FetchError when one fails; what was there before stays then.
        """
        with _lock(self.name):
            if self.is_present:
                return False
            for tool in self.tools:
                find(tool)
            unfinished = self.folder.with_name(f"{self.name}.unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            self.make(unfinished)
            self._marker(unfinished).write_text(self._digest(), encoding="ascii")
            shutil.rmtree(self.folder, ignore_errors=True)
            unfinished.rename(self.folder)
            return True

    @staticmethod
    def _marker(folder: Path) -> Path:
        return folder / "made-from.sha256"

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for source in self.sources:
            digest.update(hashlib.sha256(source.read_bytes()).digest())
        return digest.hexdigest()


@contextmanager
def _lock(name: str) -> Iterator[None]:
    """Lets one process at a time work on an artefact."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _copy_libraries(pom: Path, folder: Path) -> None:
    """Puts what a pom.xml names, with all it depends on, into `folder`/libraries."""
    run(
        [
            find("maven"),
            *("--quiet", "--batch-mode", "-Dstyle.color=never", "--file", pom),
            "dependency:copy-dependencies",
            "-DincludeScope=runtime",
            f"-DoutputDirectory={folder / 'libraries'}",
        ]
    )


_ELASTICMQ_POM = SERVERS / "java" / "elasticmq" / "pom.xml"
_EVENT_RULER_SOURCES = tuple(SERVERS / "java" / "event_ruler" / name for name in ("pom.xml", "Judge.java"))
_MINISTACK_REQUIREMENTS = SERVERS / "python" / "ministack.txt"
_CDK_REQUIREMENTS = SERVERS / "python" / "cdk.txt"
_SCHEMATHESIS_REQUIREMENTS = SERVERS / "python" / "schemathesis.txt"
_OLD_HELPERS = {version: SERVERS / "python" / f"aws_python_helper_{version}.txt" for version in ("0.33.0", "1.15.3")}
_BOTO3_ASSIST_REQUIREMENTS = SERVERS / "python" / "boto3_assist.txt"
_AWSCLI_REQUIREMENTS = SERVERS / "python" / "awscli.txt"
_NODE_SOURCES = ("package.json", "package-lock.json")
_PYRIGHT_SOURCES = tuple(SERVERS / "node" / "pyright" / name for name in _NODE_SOURCES)
_MERMAID_SOURCES = tuple(SERVERS / "node" / "mermaid" / name for name in _NODE_SOURCES)
_AXE_SOURCES = tuple(SERVERS / "node" / "axe" / name for name in _NODE_SOURCES)
_ASYNCAPI_SOURCES = tuple(SERVERS / "node" / "asyncapi" / name for name in (*_NODE_SOURCES, "judge.cjs"))
_INSPECTOR_SOURCES = tuple(SERVERS / "node" / "inspector" / name for name in _NODE_SOURCES)
_GO_SOURCES = ("go.mod", "go.sum", "main.go")
_FERRETDB_SOURCES = tuple(SERVERS / "ferretdb" / name for name in _GO_SOURCES)
_MINIREDIS_SOURCES = tuple(SERVERS / "miniredis" / name for name in _GO_SOURCES)


def _make_elasticmq(folder: Path) -> None:
    _copy_libraries(_ELASTICMQ_POM, folder)


def _make_event_ruler(folder: Path) -> None:
    pom, judge = _EVENT_RULER_SOURCES
    _copy_libraries(pom, folder)
    run([find("javac"), "-encoding", "UTF-8", "-cp", folder / "libraries" / "*", "-d", folder / "classes", judge])


def _make_ministack(folder: Path) -> None:
    _install(_MINISTACK_REQUIREMENTS, folder)


def _make_schemathesis(folder: Path) -> None:
    _install(_SCHEMATHESIS_REQUIREMENTS, folder)


def _install(requirements: Path, folder: Path) -> None:
    """Makes a virtual environment of what a file names."""
    # By the pip that is here: one of its own would take longer to install than the server.
    run([sys.executable, "-m", "venv", "--without-pip", folder])
    run(
        [
            *(sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install"),
            *("--quiet", "--disable-pip-version-check", "--requirement", requirements),
        ]
    )


def _install_node(sources: tuple[Path, ...], folder: Path) -> None:
    """Install the packages that a lock file names."""
    for source in sources:
        shutil.copy(source, folder)
    run([find("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder)


def _make_ferretdb(folder: Path) -> None:
    _build_go("ferretdb", folder)


def _make_miniredis(folder: Path) -> None:
    _build_go("miniredis", folder)


def _build_go(name: str, folder: Path) -> None:
    # All of it is written in Go, SQLite too: no C compiler is needed.
    run(
        [find("go"), "build", "-trimpath", "-buildvcs=false", "-o", folder / name, "."],
        cwd=SERVERS / name,
        env={"CGO_ENABLED": "0"},
    )


ELASTICMQ = Artefact("elasticmq", ("java", "maven"), (_ELASTICMQ_POM,), _make_elasticmq)
# No server, but the engine of EventBridge, which says what a pattern means.
EVENT_RULER = Artefact("event-ruler", ("java", "javac", "maven"), _EVENT_RULER_SOURCES, _make_event_ruler)
FERRETDB = Artefact("ferretdb", ("go",), _FERRETDB_SOURCES, _make_ferretdb)
MINIREDIS = Artefact("miniredis", ("go",), _MINIREDIS_SOURCES, _make_miniredis)
MINISTACK = Artefact("ministack", (), (_MINISTACK_REQUIREMENTS,), _make_ministack)
# No server, but the other type checker; its package for Python would fetch the same when it is first used.
PYRIGHT = Artefact("pyright", ("node", "npm"), _PYRIGHT_SOURCES, partial(_install_node, _PYRIGHT_SOURCES))
# No server, but the judge of how accessible a page is; it runs inside of the page.
AXE = Artefact("axe", ("npm",), _AXE_SOURCES, partial(_install_node, _AXE_SOURCES))
# No server, but what draws the diagrams that are exported as text; it runs inside of a page.
MERMAID = Artefact("mermaid", ("npm",), _MERMAID_SOURCES, partial(_install_node, _MERMAID_SOURCES))
# No server, but the judge of AsyncAPI documents.
ASYNCAPI = Artefact("asyncapi", ("node", "npm"), _ASYNCAPI_SOURCES, partial(_install_node, _ASYNCAPI_SOURCES))
# No server, but the client of the Model Context Protocol that people look at servers with. Its pages are never opened.
INSPECTOR = Artefact("inspector", ("node", "npm"), _INSPECTOR_SOURCES, partial(_install_node, _INSPECTOR_SOURCES))
# No server, but the client of AWS that people type into a terminal.
AWSCLI = Artefact("awscli", (), (_AWSCLI_REQUIREMENTS,), partial(_install, _AWSCLI_REQUIREMENTS))
# No server, but the browser that opens pages. It comes from the system, never from a download of its own.
CHROMIUM = DebianProgram("chromium")
# No server, but the library that makes templates by programs; its work is done by Node.js.
CDK = Artefact("cdk", ("node",), (_CDK_REQUIREMENTS,), partial(_install, _CDK_REQUIREMENTS))
# No server, but a client that makes up requests.
SCHEMATHESIS = Artefact("schemathesis", (), (_SCHEMATHESIS_REQUIREMENTS,), _make_schemathesis)
# No servers, but the libraries of services that a fleet moves from.
AWS_PYTHON_HELPER = {
    version: Artefact(f"aws-python-helper-{version}", (), (requirements,), partial(_install, requirements))
    for version, requirements in _OLD_HELPERS.items()
}
BOTO3_ASSIST = Artefact(
    "boto3-assist", (), (_BOTO3_ASSIST_REQUIREMENTS,), partial(_install, _BOTO3_ASSIST_REQUIREMENTS)
)

ARTEFACTS: tuple[Artefact | DebianProgram, ...] = (
    *(ELASTICMQ, EVENT_RULER, FERRETDB, MINIREDIS, MINISTACK, PYRIGHT, SCHEMATHESIS),
    *(ASYNCAPI, AWSCLI, AXE, CHROMIUM, INSPECTOR, MERMAID),
    *AWS_PYTHON_HELPER.values(),
    BOTO3_ASSIST,
    CDK,
)
