"""`Names`: where AWS is in a local run, and the values that follow from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from hmac import new as hmac
from typing import TYPE_CHECKING

from router.contract.model import Parameter
from router.local.settings import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILLED = re.compile(r"\$\{(?P<literal>!)?(?P<name>[^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Names:
    """Say where AWS is, and what it is called there.

    endpoint: the URL of the emulator; empty where there is none.
    region, account: as ARNs have them.
    socket: the value of a WebSocketApi's variable: the URL in front of `/@connections`.
    seed: of this run; random values are made of it, so that they stay when the application is replaced.
    """

    endpoint: str = ""
    region: str = REGION
    account: str = ACCOUNT
    socket: str = ""
    seed: str = ""

    def filled(self, text: str, stack: str, further: Mapping[str, str] | None = None) -> str:
        """Return a text of a template as CloudFormation would fill it in. What is not known stays as it is.

        stack: the name of the stack.
        further: parameters by name.
        """
        known = {
            "AWS::StackName": stack,
            "AWS::Partition": "aws",
            "AWS::Region": self.region,
            "AWS::AccountId": self.account,
            "AWS::URLSuffix": "amazonaws.com",
            **(further or {}),
        }

        def value(found: re.Match[str]) -> str:
            if found["literal"]:
                return "${" + found["name"] + "}"
            return known.get(found["name"], found[0])

        return _FILLED.sub(value, text)

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource in this account. resource: `orders`, `table/orders`."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def random(self, variable: str) -> str:
        """Return a value for a secret that nobody gave: 64 hexadecimal digits, the same for the whole run."""
        return hmac(self.seed.encode(), variable.encode(), sha256).hexdigest()


def secret_wanted(error: BaseException) -> str | None:
    """Return the variable of a secret for whose absence an import failed, as `os.environ["SESSION_SECRET"]` does.

    None for every other error.
    """
    if not isinstance(error, KeyError) or not error.args or not isinstance(error.args[0], str):
        return None
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or trace.tb_frame.f_globals.get("__name__") != "os":
        return None
    variable = error.args[0]
    return variable if Parameter(variable, ()).is_secret else None
