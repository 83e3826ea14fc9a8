"""Find what is wrong with an application as it is to be deployed: its routes, its template, its package.

Each rule returns findings. `junction check` prints them; nothing here writes, or asks AWS.
"""

from __future__ import annotations

from router.contract.checking.findings import ERROR, RULES, WARNING, Finding

__all__ = ["ERROR", "RULES", "WARNING", "Finding"]
