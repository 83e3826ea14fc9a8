"""`Functions`: the Lambda functions of an application by the names that callers give, and their settings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from router.local.lambda_api.refusals import Refusal
from router.local.settings import ACCOUNT, REGION
from router.routing.functions import MAIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

LATEST = "$LATEST"
# A name, a part of an ARN or a whole one, and perhaps a version or an alias.
_NAME = re.compile(
    r"(?:(?:(?:arn:aws[a-z-]*:lambda:)?(?P<region>[a-z]{2}(?:-[a-z]+)+-\d):)?(?P<account>\d{12}):function:)?"
    r"(?P<name>[A-Za-z0-9_.-]{1,140})(?::(?P<qualifier>\$LATEST(?:\.PUBLISHED)?|[A-Za-z0-9_-]{1,128}))?"
)
_QUALIFIER = re.compile(r"\$LATEST(\.PUBLISHED)?|[A-Za-z0-9_-]{1,128}")
_VERSION = re.compile(r"\$LATEST\.PUBLISHED|[0-9]+")


@dataclass(slots=True)
class Asynchronous:
    """Settings of asynchronous calls.

    retries: how often an event is tried again after it failed, 0 to 2.
    max_age: seconds that an event is kept, 60 to 21,600.
    on_success, on_failure: ARNs of destinations, which get a record of what became of the event.
    dead_letters: the ARN of a queue or topic that gets the event itself when it is given up.
    configured: whether a caller of the API has set them; then they outlast the application's process.
    """

    retries: int = 2
    max_age: float = 21_600
    on_success: str | None = None
    on_failure: str | None = None
    dead_letters: str | None = None
    configured: bool = False


@dataclass(slots=True)
class Function:
    """A function as Lambda knows it.

    name: in AWS. part: its name in the application.
    timeout: in seconds. memory: in MB.
    durable: seconds that a durable execution may take; 0 for a function without.
    """

    name: str
    part: str = MAIN
    timeout: float = 30
    memory: int = 512
    durable: int = 0
    region: str = REGION
    account: str = ACCOUNT
    asynchronous: Asynchronous = field(default_factory=Asynchronous)

    @classmethod
    def planned(cls, plan: Mapping[str, Any], region: str = REGION, account: str = ACCOUNT) -> Self:
        """Return a function of the plan of an application: its `name`, `part`, `timeout`, and the queue `failures`."""
        failures = plan.get("failures")
        on_failure = f"arn:aws:sqs:{region}:{account}:{failures}" if failures else None
        return cls(
            plan["name"],
            plan.get("part", MAIN),
            timeout=plan.get("timeout", 30),
            memory=plan.get("memory", 512),
            durable=plan.get("durable", 0),
            region=region,
            account=account,
            asynchronous=Asynchronous(on_failure=on_failure),
        )

    @property
    def arn(self) -> str:
        """Return the ARN, without a version."""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"


@dataclass(frozen=True, slots=True)
class Named:
    """A function as a caller named it. qualifier: a version or an alias; empty for none."""

    function: Function
    qualifier: str

    @property
    def version(self) -> str:
        """Return the version that runs: there is one alone here, so that an alias stands for the latest."""
        return self.qualifier if _VERSION.fullmatch(self.qualifier) else LATEST

    @property
    def arn(self) -> str:
        """Return the ARN with the qualifier."""
        return f"{self.function.arn}:{self.qualifier or LATEST}"


class Functions:
    """Find functions by the names that callers give."""

    def __init__(self, functions: Iterable[Function] = ()) -> None:
        self._by_name: dict[str, Function] = {}
        self.replace(functions)

    def __iter__(self) -> Iterator[Function]:
        return iter(self._by_name.values())

    def replace(self, functions: Iterable[Function]) -> None:
        """Take the functions of an application that was loaded anew. What callers have configured stays."""
        before = self._by_name
        self._by_name = {one.name: one for one in functions}
        for name, one in self._by_name.items():
            if (known := before.get(name)) is not None and known.asynchronous.configured:
                one.asynchronous = known.asynchronous

    def of_part(self, part: str) -> Function | None:
        """Return the function for a part of the application."""
        return next((one for one in self._by_name.values() if one.part == part), None)

    def find(self, name: str, qualifier: str | None = None) -> Named:
        """Return the function of a name, an ARN or a part of one.

        qualifier: a version or an alias that is named beside it.

        Raises:
            Refusal: it is not a name, there is no such function, or two qualifiers differ.
        """
        found = _NAME.fullmatch(name)
        if found is None:
            raise _invalid(f"{name!r:.200} is not the name or ARN of a function")
        if qualifier is not None and not _QUALIFIER.fullmatch(qualifier):
            raise _invalid(f"{qualifier!r:.200} is not a version or alias")
        own = found["qualifier"]
        if own and qualifier and own != qualifier:
            raise _invalid("The derived qualifier from the function name does not match the specified qualifier.")
        function = self._by_name.get(found["name"])
        if function is None or not _is_of(found, function):
            raise self._unknown(name, found)
        return Named(function, own or qualifier or "")

    def _unknown(self, name: str, found: re.Match[str]) -> Refusal:
        region, account = found["region"] or REGION, found["account"] or ACCOUNT
        asked = name if name.startswith("arn:") else f"arn:aws:lambda:{region}:{account}:function:{found['name']}"
        known = ", ".join(sorted(self._by_name)) or "none"
        return Refusal(404, "ResourceNotFoundException", f"Function not found: {asked} (the functions here: {known})")


def _is_of(found: re.Match[str], function: Function) -> bool:
    """Whether the region and account of an ARN are those of a function."""
    return found["region"] in (None, function.region) and found["account"] in (None, function.account)


def _invalid(message: str) -> Refusal:
    return Refusal(400, "InvalidParameterValueException", message)
