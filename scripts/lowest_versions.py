"""Print the lowest versions that pyproject.toml allows, as constraints for pip.

    python -m scripts.lowest_versions > constraints.txt

Those of a library's users count: the dependencies and all extras but `dev`, `bench` and `local`, which are tools.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

ROOT = Path(__file__).parents[1]
_TOOLS = ("all", "bench", "dev", "local")
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?>=(?P<version>[0-9.]+)(?:,<[0-9.]+)?")


def lowest(project: Mapping[str, Any]) -> list[str]:
    """Return `name==version` for each requirement of a library's users.

    project: the table [project] of a pyproject.toml.

    Raises:
        ValueError: a requirement has no lower bound, so nothing says what was tested.
    """
    extras = project.get("optional-dependencies", {})
    groups = [project.get("dependencies", []), *(held for name, held in extras.items() if name not in _TOOLS)]
    found = []
    for requirement in [one for group in groups for one in group]:
        match = _REQUIREMENT.fullmatch(requirement)
        if match is None:
            raise ValueError(f"{requirement!r}: give a lower bound, such as >=1.2")
        found.append(f"{match['name']}=={match['version']}")
        if match["name"] == "boto3":
            found.append(f"botocore=={match['version']}")  # boto3 itself would take a newer one
    return sorted(found)


if __name__ == "__main__":
    held = tomllib.loads((ROOT / "pyproject.toml").read_text())
    sys.stdout.write("\n".join(lowest(held["project"])) + "\n")
