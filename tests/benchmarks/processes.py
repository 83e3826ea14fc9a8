"""Measurements that need a fresh interpreter for every figure."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.benchmarks.timing import rotated

ROOT = Path(__file__).resolve().parents[2]
CHILD = Path(__file__).with_name("child.py")
# Where candidates and what they depend on lie.
INSTALLED = {ROOT, Path(sysconfig.get_path("purelib")), Path(sysconfig.get_path("platlib"))}
SANDBOX = {
    "AWS_LAMBDA_FUNCTION_NAME": "orders",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
    "AWS_REGION": "eu-central-1",
    "LAMBDA_TASK_ROOT": str(ROOT),
}
Samples = dict[str, list[dict[str, float]]]


def run_child(
    what: str, argument: str, *, options: Sequence[str] = (), environ: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The answer of `child.py` in a new process. Isolated mode, so that no `PYTHON*` variable keeps byte code away.

    options: of the interpreter. environ: variables beside those of this process and of a sandbox.
    """
    done = subprocess.run(
        [sys.executable, "-I", *options, str(CHILD), what, str(ROOT), argument],
        env={**os.environ, **SANDBOX, **(environ or {})},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode:
        raise RuntimeError(f"{what} {argument} failed:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def interleaved_processes(
    what: str, arguments: Sequence[str], rounds: int, *, environ: Mapping[str, str] | None = None
) -> Samples:
    """`rounds` results of each argument, taking turns; a first run of each, not counted, writes the byte code."""
    for argument in arguments:
        run_child(what, argument, environ=environ)
    return _rounds(what, arguments, rounds, environ=environ)


def interleaved_without_bytecode(what: str, arguments: Sequence[str], rounds: int) -> Samples:
    """The same where neither the candidates nor what they depend on have byte code, and none is written.

    So it is in a function whose zip holds no `__pycache__`: its folder is read-only. The standard library has byte
    code, as in Lambda's images. It is the only one whose byte code stays in a folder of our own.
    """
    with TemporaryDirectory(prefix="bytecode-") as folder:
        options = ["-X", f"pycache_prefix={folder}"]
        for argument in arguments:
            run_child(what, argument, options=options)
        for installed in INSTALLED:
            shutil.rmtree(Path(folder, *installed.parts[1:]), ignore_errors=True)
        return _rounds(what, arguments, rounds, options=[*options, "-B"], stripped=True)


def _rounds(
    what: str,
    arguments: Sequence[str],
    rounds: int,
    *,
    options: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    stripped: bool = False,
) -> Samples:
    samples: Samples = {argument: [] for argument in arguments}
    for order in rotated(arguments, rounds):
        for argument in order:
            result = run_child(what, argument, options=options, environ=environ)
            if wrong := wrongly_loaded(result.pop("compiled"), result.pop("uncompiled"), stripped):
                raise RuntimeError(f"{what} {argument} found byte code, or none, of {wrong}")
            samples[argument].append(result)
    return samples


def wrongly_loaded(compiled: list[str], uncompiled: list[str], stripped: bool) -> list[str]:
    """Files whose byte code was there or missing against the case: the figure would be that of another one."""
    if not stripped:
        return uncompiled
    return [file for file in compiled if _installed(file)] + [file for file in uncompiled if not _installed(file)]


def _installed(file: str) -> bool:
    """Whether a file belongs to a candidate or a dependency, not to the standard library."""
    return any(Path(file).is_relative_to(folder) for folder in INSTALLED)
