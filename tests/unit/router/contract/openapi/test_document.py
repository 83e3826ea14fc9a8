"""An OpenAPI document says what routes take and answer, and is one that other tools read."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest
from openapi_spec_validator import validate

from router import (
    Body,
    FromRequest,
    Header,
    Query,
    Resolver,
    SessionPolicy,
)
from router.contract.interface import Info, describe
from router.contract.openapi import VERSIONS, openapi
from router.errors import ConfigurationError
from tests.clock import processor_time
from tests.unit.router.contract.openapi.documents import JSON, document_of, only
from tests.unit.router.contract.openapi.large import INFO, application, with_many_routes

HERE = Path(__file__)


@dataclass
class Of_Us:  # noqa: N801
    x: int


@dataclass
class OfUs:
    y: int


@pytest.fixture(scope="module")
def large() -> dict[str, Any]:
    return openapi(describe(application(), INFO))


def parameters(operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in operation["parameters"]}


# ---- the whole -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_a_large_document_is_valid(version: str) -> None:
    made = json.loads(json.dumps(openapi(describe(application(), INFO), version)))

    validate(made)
    assert made["openapi"] == version
    assert len(made["paths"]) == 9


def test_the_bytes_are_the_same_in_each_process() -> None:
    program = (
        "import json, sys; from router.contract.interface import Info, describe; "
        "from router.contract.openapi import openapi; "
        "from tests.unit.router.contract.openapi.large import INFO, application; "
        "sys.stdout.write(json.dumps([openapi(describe(application(), INFO), v) for v in ('3.1.0', '3.0.3')]))"
    )
    written = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=HERE.parents[5],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(HERE.parents[5])},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2", "3")
    }

    (text,) = written
    assert str(HERE.parents[5]).encode() not in text


def test_500_routes_take_a_second_at_most() -> None:
    resolver = with_many_routes(500)

    with processor_time() as spent:
        made = json.dumps(openapi(describe(resolver, INFO)))

    assert made.count("operationId") == 500
    assert spent() < 3  # a second, on a machine that is three times as slow


def test_info_is_that_of_the_application(large: dict[str, Any]) -> None:
    assert large["info"] == {
        "title": "A large application",
        "version": "2.1.0",
        "description": "Some of *everything*.",
        "contact": {"email": "team@large.example"},
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }
    assert large["servers"] == [
        {"url": "https://large.example", "description": "production"},
        {"url": "https://test.large.example"},
    ]
    assert large["tags"] == [{"name": "things", "description": "What there is"}, {"name": "unused"}]
    assert list(large["paths"]) == sorted(large["paths"])
    assert not {"/hidden", "jobs"} & large["paths"].keys()


def test_an_unknown_version_of_openapi_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"give 3\.1\.0 or 3\.0\.3"):
        openapi(describe(Resolver(), INFO), "2.0")


# ---- what is taken -------------------------------------------------------------------------------------------------


def test_parameters_say_how_they_are_sent(large: dict[str, Any]) -> None:
    search = parameters(large["paths"]["/things"]["get"])

    assert search["limit"] == {
        "name": "limit",
        "in": "query",
        "description": "Of one page.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    }
    assert (search["tag"]["style"], search["tag"]["explode"]) == ("form", True)
    assert search["tag"]["schema"]["items"] == {"type": "string"}
    assert "required" not in search["colours"]


def test_headers_and_cookies_have_their_examples_and_deprecations(large: dict[str, Any]) -> None:
    show = parameters(large["paths"]["/things/{id}"]["get"])

    assert show["x-trace"] == {
        "name": "x-trace",
        "in": "header",
        "required": True,
        "description": "Of the caller.",
        "schema": {"type": "string"},
        "example": "t-1",
    }
    assert show["seen"]["deprecated"] is True
    assert show["seen"]["schema"] == {"type": "integer", "default": 0}
    assert show["id"]["schema"] == {"type": "string", "format": "uuid"}
    assert show["x-tenant"]["in"] == "header"


def test_a_parameter_that_may_hold_slashes_says_so(large: dict[str, Any]) -> None:
    (path, *_) = large["paths"]["/files/{path}"]["get"]["parameters"]

    assert path["description"] == "May hold slashes: it takes the rest of the path."


def test_several_examples_have_names() -> None:
    def show(size: Annotated[int, Query(examples=[10, 50])] = 20) -> None: ...

    (size,) = only(lambda resolver: resolver.get("/")(show))["parameters"]

    assert size["examples"] == {"example1": {"value": 10}, "example2": {"value": 50}}


def test_a_body_has_its_media_type_and_whether_it_is_needed(large: dict[str, Any]) -> None:
    paths = large["paths"]

    assert paths["/things"]["post"]["requestBody"] == {
        "description": "The thing.",
        "content": {JSON: {"schema": {"$ref": "#/components/schemas/Thing"}}},
        "required": True,
    }
    assert list(paths["/things/{id}/picture"]["put"]["requestBody"]["content"]) == ["application/octet-stream"]
    assert list(paths["/any/{x}/of"]["post"]["requestBody"]["content"]) == ["text/plain"]


# ---- whose a request is --------------------------------------------------------------------------------------------


def test_a_header_that_names_the_tenant_is_a_parameter() -> None:
    def show() -> None: ...

    policy = SessionPolicy(request=FromRequest(tenant_header="X-Tenant"), require=("tenant",))
    (tenant,) = only(lambda resolver: resolver.get("/")(show), session=policy)["parameters"]

    assert (tenant["name"].lower(), tenant["in"], tenant["required"]) == ("x-tenant", "header", True)


def test_a_handler_that_takes_the_header_itself_has_it_once() -> None:
    def show(x_tenant: Annotated[str, Header(description="Ours.")]) -> None: ...

    policy = SessionPolicy(request=FromRequest(tenant_header="x-tenant"))
    (tenant,) = only(lambda resolver: resolver.get("/")(show), session=policy)["parameters"]

    assert tenant["description"] == "Ours."


# ---- places that are the same --------------------------------------------------------------------------------------


def test_paths_that_differ_in_names_alone_are_one(large: dict[str, Any]) -> None:
    of = large["paths"]["/any/{x}/of"]

    assert set(of) == {"get", "post"}
    assert of["post"]["parameters"][0]["name"] == "x"
    assert "/any/{y}/of" not in large["paths"]


def test_two_operations_of_one_place_are_refused() -> None:
    resolver = Resolver()

    @resolver.get("/things/{id:int}", name="by_number")
    def by_number(id: int) -> None: ...

    @resolver.get("/things/{slug}", name="by_slug")
    def by_slug(slug: str) -> None: ...

    with pytest.raises(ConfigurationError, match=rf"(?s){HERE.name}:\d+.*{HERE.name}:\d+.*GET /things/{{id}}"):
        document_of(resolver)


def test_two_operations_of_one_name_are_refused() -> None:
    resolver = Resolver()
    resolver.get("/a", name="show")(lambda: 1)
    resolver.get("/b", name="show")(lambda: 1)

    with pytest.raises(ConfigurationError, match=rf"(?s){HERE.name}:\d+.*{HERE.name}:\d+.*named 'show'"):
        document_of(resolver)


def test_several_methods_of_a_route_are_several_operations(large: dict[str, Any]) -> None:
    both = large["paths"]["/both"]

    assert {name: one["operationId"] for name, one in both.items()} == {"get": "both_get", "post": "both_post"}


def test_a_type_without_a_schema_is_refused() -> None:
    def show() -> Callable[[], None]: ...  # type: ignore[empty-body]

    resolver = Resolver()
    resolver.get("/")(show)

    with pytest.raises(ConfigurationError, match=rf"{HERE.name}:\d+.*the answer 200"):
        document_of(resolver)


# ---- 3.0 -----------------------------------------------------------------------------------------------------------


def test_openapi_3_0_has_no_words_of_3_1() -> None:
    made = openapi(describe(application(), INFO), "3.0.3")
    text = json.dumps(made)

    assert "identifier" not in made["info"]["license"]
    assert '"const"' not in text
    assert '"null"' not in text
    assert '"nullable"' in text
    assert all(name.isalnum() for name in made["components"]["schemas"])


def test_names_of_models_are_those_that_api_gateway_takes() -> None:
    def show(body: Of_Us) -> OfUs: ...  # type: ignore[empty-body]

    resolver = Resolver()
    resolver.post("/")(show)
    made = document_of(resolver, "3.0.3")

    schema = made["paths"]["/"]["post"]["requestBody"]["content"][JSON]["schema"]
    assert made["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["required"] == ["x"]
    assert all(name.isalnum() for name in made["components"]["schemas"])


def test_a_body_without_a_model() -> None:
    def take(body: Body[Any]) -> None: ...

    operation = only(lambda resolver: resolver.post("/")(take))

    assert operation["requestBody"]["content"] == {JSON: {"schema": {}}}


def test_servers_of_websocket_apis_are_left_to_asyncapi() -> None:
    info = Info("The shop", servers={"https://shop.example": "live", "wss://ws.shop.example": "live"})

    made = openapi(describe(Resolver(), info))

    assert made["servers"] == [{"url": "https://shop.example", "description": "live"}]
    assert "servers" not in openapi(describe(Resolver(), Info("The shop", servers={"wss://ws.shop.example": ""})))
