"""`Env`: a name that the environment tells, such as that of a queue which CloudFormation named."""

from __future__ import annotations

from router.errors import ConfigurationError


class Env(str):
    """Stand for a name in an environment variable: `on_queue(Env("ORDERS_QUEUE"))`.

    The variable may hold a name, a URL or an ARN. It is read when the first event of the source comes.

    variable: the name of the variable.
    default: the name where the variable is not set.
    """

    __slots__ = ("default", "variable")

    variable: str
    default: str | None

    def __new__(cls, variable: str, default: str | None = None) -> Env:
        if not isinstance(variable, str) or not variable:
            raise ConfigurationError(f"Env({variable!r}): give the name of an environment variable")
        made = str.__new__(cls, "${" + variable + "}")
        made.variable = variable
        made.default = default
        return made

    def resolve(self) -> str:
        """Return the name.

        Raises:
            ConfigurationError: the variable is not set, or holds no name.
        """
        from os import environ

        held = environ.get(self.variable) or self.default
        name = name_in(held.strip()) if held else ""
        if not name:
            raise ConfigurationError(f"the environment variable {self.variable} must hold a name, a URL or an ARN")
        return name


def name_in(value: str) -> str:
    """Return the name in a URL of a queue or in an ARN; anything else as it is."""
    if value.startswith(("https://", "http://")):
        return value.partition("//")[2].rstrip("/").partition("/")[2].rpartition("/")[2]
    if not value.startswith("arn:"):
        return value
    parts = value.split(":", 5)
    if len(parts) < 6:
        return ""
    service, resource = parts[2], parts[5]
    if service == "logs":  # log-group:NAME:*
        return resource.removeprefix("log-group:").removesuffix(":*")
    if service == "s3":
        return resource.partition("/")[0]
    kind, slash, rest = resource.partition("/")
    if not slash:
        return resource.rpartition(":")[2]  # sqs, sns
    if kind in ("table", "stream", "deliverystream"):  # a table's stream is table/NAME/stream/TIME
        return rest.partition("/")[0]
    return rest.rpartition("/")[2]  # rule/BUS/NAME, schedule/GROUP/NAME, topic/CLUSTER/ID/NAME
