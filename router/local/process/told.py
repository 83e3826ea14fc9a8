"""`Told`: what an application's process tells of the application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.local.process.lambda_environment import MEMORY_MB

if TYPE_CHECKING:
    from collections.abc import Mapping

    from router.local.settings import Settings


class Told:
    """Hold what the last version of the application that could be imported has told of itself.

    held: as `router.local.process.child` sends it; empty before the first one.
    prepared: variables of what was made for it.
    """

    def __init__(self, settings: Settings, held: Mapping[str, Any], prepared: Mapping[str, str]) -> None:
        self._settings = settings
        self._functions: dict[str, dict[str, Any]] = {}
        self.declared: Mapping[str, Any] = held.get("functions", {})
        self.application: str = held.get("application", settings.application)
        self.routes: list[dict[str, Any]] = held.get("routes", [])
        self.plan: dict[str, Any] | None = held.get("plan")
        self.problem: str = held.get("problem", "")
        self.notes: list[str] = held.get("notes", [])
        self.prepared = dict(prepared)
        self._declared_variables: Mapping[str, str] = held.get("variables", {})

    @property
    def variables(self) -> dict[str, str]:
        """Return the variables of the application: declared ones, those of what was made, those of the command line."""
        planned: dict[str, str] = (self.plan or {}).get("variables", {})
        return {**self._declared_variables, **planned, **self.prepared, **self._settings.environment}

    def limit(self, part: str) -> float:
        """Return how many seconds a call of a part may take."""
        declared = self.declared.get(part)
        return float(declared["timeout"]) if declared else self._settings.timeout

    def function(self, part: str) -> dict[str, Any]:
        """Return what the context of a call tells of its function."""
        found = self._functions.get(part)
        if found is None:
            planned: list[dict[str, Any]] = (self.plan or {}).get("functions", [])
            name = next((one["name"] for one in planned if one["part"] == part), part)
            arn = f"arn:aws:lambda:{self._settings.region}:{self._settings.account}:function:{name}"
            memory = self.declared.get(part, {}).get("memory", MEMORY_MB)
            found = self._functions[part] = {"name": name, "arn": arn, "memory": str(memory)}
        return found
