"""Make an OpenAPI document of an interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.contract.checks import Faults
from router.contract.interface.reading import refuse_same_names
from router.contract.openapi.answers import Answers
from router.contract.openapi.checked import Checked
from router.contract.openapi.dialect import as_30_document
from router.contract.openapi.operations import operation_of
from router.contract.openapi.own import Own
from router.contract.openapi.paths import template
from router.contract.openapi.requests import Requests
from router.contract.openapi.security import Security
from router.contract.schemas import Schemas, asked_for
from router.errors import ConfigurationError
from router.event import Source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from router.contract.interface import Info, Interface, Operation

_SOCKETS = ("ws://", "wss://")  # of servers that AsyncAPI documents list
VERSIONS = ("3.1.0", "3.0.3")
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")  # in the order in which a document lists them


def openapi(interface: Interface, version: str = "3.1.0") -> dict[str, Any]:
    """Return the OpenAPI document of an application, in the order in which it is written.

    interface: of the application; its routes that are not of HTTP are left out.
    version: "3.1.0", or "3.0.3" for tools that do not know 3.1, such as the imports of API Gateway.

    Raises:
        ConfigurationError: routes have no place in such a document; it names each with file and line.
    """
    if version not in VERSIONS:
        raise ConfigurationError(f"openapi(version={version!r:.40}): give {' or '.join(VERSIONS)}")
    operations = interface.of(Source.HTTP)
    refuse_same_names(operations)
    own, schemas = Own(), Schemas(expected=asked_for(operations))
    security, answers = Security(interface.resolver), Answers(interface.resolver, schemas, own)
    requests = Requests(schemas, security, Checked(interface.resolver, own))
    paths: dict[str, dict[str, Any]] = {}
    faults = Faults()
    for path, held in _by_path(operations).items():
        made = {}
        for one in held:
            with faults.collected():
                made[one.method.lower()] = operation_of(one, path, requests, answers, security)
        paths[path] = {method: made[method] for method in _METHODS if method in made}
    faults.refuse()
    components = own.finish(schemas.components())
    document: dict[str, Any] = {"openapi": version, "info": _info(interface.info)}
    servers = [(url, text) for url, text in interface.info.servers.items() if not url.startswith(_SOCKETS)]
    if servers:
        document["servers"] = [{"url": url} | ({"description": text} if text else {}) for url, text in servers]
    if tags := _tags(interface.info, operations):
        document["tags"] = tags
    document["paths"] = {path: paths[path] for path in sorted(paths)}
    if components or security.schemes:
        document["components"] = {"schemas": components} | security.component()
    return as_30_document(document) if version.startswith("3.0") else document


def _by_path(operations: Iterable[Operation]) -> dict[str, list[Operation]]:
    """Return operations by path; paths that differ in the names of parameters alone are one, that of the first.

    Raises:
        ConfigurationError: two operations would have one place in the document.
    """
    paths: dict[str, str] = {}
    taken: dict[tuple[str, str], Operation] = {}
    found: dict[str, list[Operation]] = {}
    for one in operations:
        path = paths.setdefault(template(one.path), one.path)
        other = taken.setdefault((path, one.method), one)
        if other is not one:
            raise ConfigurationError(
                f"{other.where} and {one.where} are both {one.method} {path} to OpenAPI, which tells parameters of a "
                "path by place alone; leave one of them out with include_in_schema=False"
            )
        found.setdefault(path, []).append(one)
    return found


def _info(info: Info) -> dict[str, Any]:
    made: dict[str, Any] = {"title": info.title, "version": info.version}
    if info.description:
        made["description"] = info.description
    if info.contact:
        made["contact"] = {"email" if "@" in info.contact and "://" not in info.contact else "url": info.contact}
    if info.license:
        made["license"] = {"name": info.license, "identifier": info.license}
    return made


def _tags(info: Info, operations: Iterable[Operation]) -> list[dict[str, str]]:
    """Return the tags: first those that are described, in their order, then the others of the routes."""
    used = sorted({tag for one in operations for tag in one.tags}.difference(info.tags))
    described = [{"name": name} | ({"description": text} if text else {}) for name, text in info.tags.items()]
    return described + [{"name": name} for name in used]
