"""The variables that Lambda sets in the environment of a function."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from router.middleware.recording.replayed import LOCAL

if TYPE_CHECKING:
    from router.local.settings import Settings

PACKAGE = __name__.rpartition(".local.")[0]
"""The name of the library's package, `router`; a copy has another."""

LIBRARY = str(Path(__file__).resolve().parents[len(PACKAGE.split(".")) + 2])
"""The folder that the library is imported from."""

# They say what is not so here: that the Runtime API is there, and where code and layers are.
_NOT_HERE = ("AWS_LAMBDA_RUNTIME_API", "_HANDLER", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "JUNCTION_FUNCTION")
MEMORY_MB = 512
"""The memory of a function that nobody declares."""


def function_name(settings: Settings) -> str:
    """Return the name that the function has in a local run."""
    return settings.application.partition(":")[0].partition(".")[0]


def lambda_variables(settings: Settings) -> dict[str, str]:
    """Return what Lambda sets, as far as it is true here, and that this is no Lambda."""
    name = function_name(settings)
    return {
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MB),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        LOCAL: "1",
    }


def without_foreign(environment: dict[str, str]) -> dict[str, str]:
    """Return an environment without what would mislead the application here."""
    return {name: value for name, value in environment.items() if name not in _NOT_HERE}
