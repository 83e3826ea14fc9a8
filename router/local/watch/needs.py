"""Tell which IAM actions a call of AWS needs, and on which resources, as ARNs."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from router.contract.targets import targets
from router.env import name_in
from router.environment.actions import needed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from router.testing.aws_calls import ApiCall

ANY = "*"
"""The resource of an action that takes none, or of a call that names none."""

# The permission is for anything, or the API names no resource, although the parameters hold a name.
_WITHOUT_RESOURCE = frozenset({"ecs:DescribeTaskDefinition"})
_ALONE = re.compile(r"arn:[^:]*:[^:]+:.*")


class Place:
    """Say where calls are made, for what their parameters leave out.

    region, account: as ARNs have them.
    """

    __slots__ = ("account", "region")

    def __init__(self, region: str, account: str) -> None:
        self.region = region
        self.account = account

    def filled(self, arn: str, stack: str = ANY) -> str:
        """Return an ARN with the names of CloudFormation filled in; what is not known is any."""
        known = {"Partition": "aws", "Region": self.region, "AccountId": self.account, "StackName": stack}
        return re.sub(r"\$\{(?:AWS::)?(\w+)\}", lambda found: known.get(found[1], ANY), arn)


def needs_of(call: ApiCall, account: str) -> list[tuple[str, str]]:
    """Return the actions that a call needs, each with the ARN of its resource; none where it needs no permission.

    account: where the parameters name none.
    """
    place = Place(str(call.client.meta.region_name or ""), account)
    parameters = call.parameters if isinstance(call.parameters, dict) else {}
    found: dict[tuple[str, str], None] = {}
    for action, names in needed(call.service, call.operation, parameters):
        for arn in _arns(call, action, names, parameters, place):
            found[action, arn] = None
    if call.service == "ecs" and call.operation == "RunTask":
        for role in _roles(parameters) or [f"arn:aws:iam::{account}:role/*"]:
            found["iam:PassRole", role] = None
    return list(found)


def _arns(
    call: ApiCall, action: str, names: tuple[str, ...], parameters: Mapping[str, Any], place: Place
) -> Iterator[str]:
    """Yield the ARNs that an action is needed on."""
    if action in _WITHOUT_RESOURCE:
        yield ANY
    elif call.service == "execute-api":
        yield _connection(call, parameters, place)
    elif not names:
        yield next(_arns_in(parameters), ANY)
    elif call.service == "s3":
        yield from _of_objects(action, names[0], parameters)
    else:
        yield _named(action, names[0], parameters, place)


def _named(action: str, name: str, parameters: Mapping[str, Any], place: Place) -> str:
    """Return the ARN of what a parameter names: by its name, its URL or its ARN."""
    service = action.partition(":")[0]
    if service == "sqs" and "//" in name:
        parts = urlsplit(name).path.strip("/").split("/")
        if len(parts) > 1 and parts[-2].isdigit():
            place = Place(place.region, parts[-2])
    if service == "kms" and name.startswith("alias/"):
        name = ANY  # a policy knows keys alone
    if not _ALONE.match(name):
        name = _plain(service, name)
    if name.startswith("arn:") and service != "dynamodb":
        return name
    try:
        found = targets(action, None, name)
    except LookupError:
        return ANY
    if service == "ssm":
        return place.filled(next(one for one in found if "parameter//" not in one and "parameter/" in one))
    index = parameters.get("IndexName")
    of_index = [one for one in found if one.endswith("/index/*")]
    if of_index and index:
        return place.filled(of_index[0].removesuffix("*") + str(index))
    return place.filled(min(found, key=len))


def _plain(service: str, name: str) -> str:
    """Return the name alone: without a URL around it, an account in front of it, or a version behind it."""
    if service == "ecs":
        return name.rpartition("/")[2].partition(":")[0]
    if service == "lambda":
        return name.rpartition("function:")[2]
    return name_in(name)


def _of_objects(action: str, bucket: str, parameters: Mapping[str, Any]) -> Iterator[str]:
    base = bucket if bucket.startswith("arn:") else f"arn:aws:s3:::{bucket}"
    (target,) = targets(action, None, bucket)
    if not target.endswith("/*"):
        yield base
        return
    keys = list(_keys(action, bucket, parameters)) or [ANY]
    yield from (f"{base}/{key}" for key in keys)


def _keys(action: str, bucket: str, parameters: Mapping[str, Any]) -> Iterator[str]:
    source = parameters.get("CopySource")
    if source is not None and action.startswith("s3:GetObject"):
        yield source["Key"] if isinstance(source, dict) else str(source).lstrip("/").partition("/")[2]
        return
    if "Key" in parameters:
        yield str(parameters["Key"])
    deleted = parameters.get("Delete")
    for one in deleted.get("Objects", ()) if isinstance(deleted, dict) else ():
        yield str(one["Key"])


def _connection(call: ApiCall, parameters: Mapping[str, Any], place: Place) -> str:
    """Return the ARN of a connection. Outside of AWS the endpoint does not name the API."""
    url = urlsplit(str(call.client.meta.endpoint_url))
    host, stage = url.hostname or "", url.path.strip("/") or ANY
    api = host.partition(".")[0] if ".execute-api." in host else ANY
    method = {"PostToConnection": "POST", "GetConnection": "GET", "DeleteConnection": "DELETE"}.get(call.operation, ANY)
    arn = f"arn:aws:execute-api:${{Region}}:${{AccountId}}:{api}/{stage}/{method}/@connections/"
    return place.filled(arn) + str(parameters.get("ConnectionId", ANY))


def _arns_in(parameters: Mapping[str, Any]) -> Iterator[str]:
    """Yield the ARNs among the parameters of a call."""
    for value in parameters.values():
        held = value if isinstance(value, list) else [value]
        yield from (one for one in held if isinstance(one, str) and _ALONE.match(one))


def _roles(parameters: Mapping[str, Any]) -> list[str]:
    """Return the roles that a task is started with, where its call names them; else its definition does."""
    found = []
    with suppress(AttributeError):
        overrides = parameters.get("overrides") or {}
        found = [overrides[name] for name in ("taskRoleArn", "executionRoleArn") if overrides.get(name)]
    return found
