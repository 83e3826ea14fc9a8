"""Look the versions that development installs up in a database of known vulnerabilities.

    python -m scripts.audit

Exit status: 0 where none is known, or where no database can be reached (which is said); 1 where one is known.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"
UNREACHED = "audit: no database of known vulnerabilities can be reached from here; nothing was checked"


def verdict(report: dict[str, Any] | None) -> tuple[int, list[str]]:
    """Return the exit status and what to print.

    report: what pip-audit writes as JSON; None where it wrote none.
    """
    dependencies = [] if report is None else report.get("dependencies", [])
    # Behind a registry that is only a copy each package is "not found": that is no verdict.
    checked = [one for one in dependencies if "vulns" in one]
    if not checked:
        return 0, [UNREACHED]
    lines = []
    for one in checked:
        for found in one["vulns"]:
            mended = ", ".join(found["fix_versions"]) or "no version yet"
            lines.append(f"{one['name']} {one['version']}: {found['id']}, mended in {mended}")
    skipped = len(dependencies) - len(checked)
    lines.append(f"audit: {len(checked)} packages checked, {skipped} not found, {len(lines)} vulnerabilities known")
    return (1 if len(lines) > 1 else 0), lines


def main() -> int:
    """Run pip-audit over the constraints, and print what it found."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(CONSTRAINTS), "--no-deps", "--disable-pip"]
    ran = subprocess.run(
        [*command, "--progress-spinner", "off", "--format", "json"], capture_output=True, text=True, check=False
    )
    try:
        report = json.loads(ran.stdout)
    except ValueError:
        report = None
    status, lines = verdict(report)
    print("\n".join(lines))
    return status


if __name__ == "__main__":
    sys.exit(main())
