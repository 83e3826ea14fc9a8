"""Stores and a recorder for `router.environment.Environment`: Parameter Store, Secrets Manager, a table of DynamoDB.

    Environment(app="shop", stage="prod", stores=[ParameterStore(), SecretStore()], record=UseTable())

They are called at a start, when nothing else runs in the process: sync, also where an event loop is running.
"""

from __future__ import annotations

from adapters._core.adapter import Adapter
from adapters._core.blocking import blocking_allowed
from adapters._core.key_table import TTL, KeyTable
from adapters.aws.botocore_errors import translate
from adapters.errors import AdapterError, InvalidMessage, ResourceNotFound
from router.durations import seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from adapters._core.steps import Steps
    from adapters.aws.aws import Aws
    from router.durations import Duration
    from router.environment.needs import Need
    from router.environment.resolution import Use

_MOST_NAMES = 10  # of GetParameters
_MOST_WRITES = 25  # of BatchWriteItem
_DAY = 86_400.0
_PATIENCE = 2.0  # seconds for the recorder: a start must not wait long for what it can do without


class ParameterStore(Adapter):
    """Variables in Parameter Store. A SecureString is decrypted.

    The role needs `ssm:GetParameters`, and `kms:Decrypt` where a key of your own encrypts.

    aws: makes the calls; by default one made of the environment.
    path: the names of parameters, with `{name}` for that of the variable; {app}, {stage}, {service} as needed.
    """

    def __init__(self, aws: Aws | None = None, *, path: str = "/{app}/{stage}/{service}/{name}") -> None:
        super().__init__(aws)
        self.path = path

    def needs(self) -> list[Need]:
        """Return what a start needs: to read the parameters. Policies give it."""
        from router.environment.needs import Need

        return [Need(("ssm:GetParameters",), "parameter", self.path)]

    def read(self, paths: Sequence[str]) -> dict[str, str]:
        """Return those of the parameters that exist, ten in a request.

        Raises:
            AdapterError: Parameter Store does not answer, or refuses.
        """
        found: dict[str, str] = {}
        with blocking_allowed():
            for asked in _chunks(paths, _MOST_NAMES):
                answer = self.aws.call("ssm", "get_parameters", Names=asked, WithDecryption=True)
                found.update({str(held["Name"]): str(held["Value"]) for held in answer["Parameters"]})
        return found


class SecretStore(Adapter):
    """Variables in Secrets Manager, each a secret of its own that holds text.

    The role needs `secretsmanager:GetSecretValue`, and `kms:Decrypt` where a key of your own encrypts. Secrets are read
    one by one: keep there what has to be there, and the rest in Parameter Store.

    aws: makes the calls; by default one made of the environment.
    path: the names of secrets, with `{name}` for that of the variable; {app}, {stage}, {service} as needed.
    """

    def __init__(self, aws: Aws | None = None, *, path: str = "{app}/{stage}/{service}/{name}") -> None:
        super().__init__(aws)
        self.path = path

    def needs(self) -> list[Need]:
        """Return what a start needs: to read the secrets. Policies give it."""
        from router.environment.needs import Need

        return [Need(("secretsmanager:GetSecretValue",), "secret", self.path)]

    def read(self, paths: Sequence[str]) -> dict[str, str]:
        """Return those of the secrets that exist.

        Raises:
            InvalidMessage: a secret is binary.
            AdapterError: Secrets Manager does not answer, or refuses.
        """
        found: dict[str, str] = {}
        with blocking_allowed():
            for path in paths:
                try:
                    answer = self.aws.call("secretsmanager", "get_secret_value", SecretId=path)
                except ResourceNotFound:
                    continue
                if "SecretString" not in answer:
                    raise InvalidMessage(
                        f"secretsmanager.get_secret_value {path}: it is binary, not text",
                        service="secretsmanager",
                        operation="get_secret_value",
                        resource=path,
                    )
                found[path] = str(answer["SecretString"])
        return found


class UseTable(KeyTable):
    """Records in DynamoDB which function uses which variable: one item each, written anew at each start.

    The role needs `dynamodb:BatchWriteItem`. It is tried once, and waited for 2 seconds (after the `connect_timeout` of
    the settings): a start goes on without it.

    aws: makes the calls; by default one made of the environment.
    table: its name; `create_table` makes it. Its keys are `variable` and `used_by`, its TTL is on `expires_at`.
    keep_for: how long an item stays after the last start; seconds, or a timedelta.
    """

    _operations = ("dynamodb:BatchWriteItem",)

    def __init__(
        self, aws: Aws | None = None, *, table: str = "environment-uses", keep_for: Duration = 90 * _DAY
    ) -> None:
        super().__init__(aws, table=table)
        self._keep_for = seconds(keep_for, "UseTable(keep_for=...)", least=1)

    def __call__(self, uses: Sequence[Use]) -> None:
        """Write what a process started with.

        Raises:
            AdapterError: the table does not take all of it.
        """
        with blocking_allowed():
            client = self.aws.client("dynamodb", read_timeout=_PATIENCE, attempts=1)
            for chunk in _chunks(list(uses), _MOST_WRITES):
                writes = [{"PutRequest": {"Item": self._item(use)}} for use in chunk]
                try:
                    answer = client.batch_write_item(RequestItems={self.table: writes})
                except Exception as error:
                    raise translate(error, "dynamodb", "batch_write_item", self.table) from None
                if answer.get("UnprocessedItems"):
                    raise AdapterError(
                        f"dynamodb.batch_write_item {self.table}: not all items were written",
                        service="dynamodb",
                        operation="batch_write_item",
                        resource=self.table,
                    )

    def uses_of(self, variable: str) -> list[dict[str, Any]]:
        """Return which functions use a variable: `used_by`, `operations`, `routes`, `origin`, `at` and where they run.

        Raises:
            AdapterError: the table does not answer.
        """
        return self._run(self._uses_of(variable), "uses_of")

    async def uses_of_async(self, variable: str) -> list[dict[str, Any]]:
        """Do as `uses_of` does, without blocking the event loop."""
        return await self.aws.run_async(self._uses_of(variable))

    def definition(self) -> dict[str, Any]:
        """Return the parameters of CreateTable, for templates. TTL is on the attribute `expires_at`."""
        keys = (("variable", "HASH"), ("used_by", "RANGE"))
        return {
            "TableName": self.table,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
            "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        }

    # ---- items -----------------------------------------------------------------------------------------------------

    def _item(self, use: Use) -> dict[str, Any]:
        texts = {
            "variable": use.variable,
            "used_by": use.function or "/".join((use.app, use.stage, use.service)).strip("/") or "unknown",
            **{name: getattr(use, name) for name in ("origin", "function", "app", "stage", "service")},
        }
        return {
            **{name: {"S": text} for name, text in texts.items()},
            **{name: {"L": [{"S": one} for one in getattr(use, name)]} for name in ("operations", "routes")},
            "at": {"N": f"{use.at:.3f}"},
            TTL: {"N": str(int(use.at + self._keep_for) + 1)},
        }

    def _uses_of(self, variable: str) -> Steps[list[dict[str, Any]]]:
        found: list[dict[str, Any]] = []
        start: dict[str, Any] = {}
        while True:
            answer = yield self._step(
                "query",
                KeyConditionExpression="#variable = :variable",
                ExpressionAttributeNames={"#variable": "variable"},
                ExpressionAttributeValues={":variable": {"S": variable}},
                **start,
            )
            found += [{name: _plain(value) for name, value in item.items()} for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                return found
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _plain(value: dict[str, Any]) -> Any:
    [(kind, held)] = value.items()
    if kind == "L":
        return [_plain(one) for one in held]
    return float(held) if kind == "N" else held


def _chunks(all_of: Sequence[Any], size: int) -> Iterator[list[Any]]:
    for first in range(0, len(all_of), size):
        yield list(all_of[first : first + size])
