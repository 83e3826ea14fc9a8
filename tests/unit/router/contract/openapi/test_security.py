"""Security schemes come from the guards: what a client has to send, and which of several will do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from router import Authenticate, Event, Identity, Resolver, Router
from router.contract import Info
from router.contract.interface import describe
from router.contract.openapi import openapi
from router.errors import ConfigurationError
from router.guards import ApiKey, Auth, Bearer, Bypass, Claims, Credential, Iam, Jwt
from tests.unit.router.contract.openapi.documents import document_of as document

HERE = Path(__file__)
ISSUER = "https://login.example.com"
SECRET = "x" * 40


class Known:
    """Looks tokens up, and knows none."""

    def authenticate(self, token: str, /) -> Identity | None:
        return None


class Badge(Credential):
    """A credential of an application's own."""

    kind = "badge"

    def sent(self, event: Event) -> str | None:
        return event.headers.get("x-badge")

    def identify(self, sent: str) -> Identity | None:
        return None


class Described(Badge):
    openapi: ClassVar[Any] = {"type": "apiKey", "in": "header", "name": "x-badge", "description": "Ask at the desk."}


class Paper(Described):
    kind = "paper"
    openapi = "badge"


class Lost(Described):
    openapi = "passport"


class Wrong(Described):
    openapi: ClassVar[Any] = {"type": "basic"}


def show() -> None: ...


def document_of(register: Callable[[Resolver], object], **options: Any) -> dict[str, Any]:
    resolver = Resolver(**options)
    register(resolver)
    return document(resolver)


def of_route(auth: Any, **options: Any) -> tuple[Any, dict[str, Any]]:
    """Return the requirements of a route with some credentials, and the schemes."""
    made = document_of(lambda resolver: resolver.get("/", auth=auth)(show), **options)
    return made["paths"]["/"]["get"].get("security"), made.get("components", {}).get("securitySchemes", {})


@pytest.mark.parametrize(
    ("credential", "name", "scheme"),
    [
        (Bearer(Known()), "token", {"type": "http", "scheme": "bearer"}),
        (
            Bearer(Known(), header="x-token"),
            "token",
            {"type": "apiKey", "in": "header", "name": "x-token"},
        ),
        (
            ApiKey(Known()),
            "api_key",
            {
                "type": "apiKey",
                "in": "header",
                "name": "x-api-key",
                "description": "A key that the application has issued.",
            },
        ),
        (
            Jwt(ISSUER, "orders"),
            "jwt",
            {
                "type": "openIdConnect",
                "openIdConnectUrl": f"{ISSUER}/.well-known/openid-configuration",
                "description": f"A token of {ISSUER} for orders, as `Authorization: Bearer <token>`.",
            },
        ),
        (
            Jwt(ISSUER, ["b", "a"], keys=f"{ISSUER}/keys"),
            "jwt",
            {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": f"A token of {ISSUER} for a or b, as `Authorization: Bearer <token>`.",
            },
        ),
        (Described(), "badge", Described.openapi),
    ],
    ids=["token", "token-in-a-header", "key", "issuer", "jwt", "own"],
)
def test_a_credential_is_a_scheme(credential: Any, name: str, scheme: dict[str, Any]) -> None:
    assert of_route(credential) == ([{name: []}], {name: scheme})


def test_claims_and_callers_of_aws() -> None:
    security, schemes = of_route([Claims(), Iam("arn:aws:iam::123456789012:*")])

    assert security == [{"claims": []}, {"iam": []}]
    assert schemes["claims"]["scheme"] == "bearer"
    assert schemes["iam"]["x-amazon-apigateway-authtype"] == "awsSigv4"


def test_an_authenticator_may_say_its_scheme() -> None:
    class Described(Known):
        openapi: ClassVar[Any] = {"type": "http", "scheme": "basic"}

    assert of_route(Described()) == ([{"token": []}], {"token": {"type": "http", "scheme": "basic"}})


def test_any_of_several_will_do() -> None:
    security, schemes = of_route([Jwt(ISSUER, "orders"), ApiKey(Known())])

    assert security == [{"jwt": []}, {"api_key": []}]
    assert list(schemes) == ["api_key", "jwt"]


def test_several_checks_all_have_to_let_it_in() -> None:
    def register(resolver: Resolver) -> None:
        resolver.use(Authenticate(ApiKey(Known())), Authenticate(Jwt(ISSUER, "a"), Described()))
        resolver.get("/")(show)

    made = document_of(register)

    assert made["paths"]["/"]["get"]["security"] == [{"api_key": [], "jwt": []}, {"api_key": [], "badge": []}]


def test_schemes_of_one_kind_that_differ_are_numbered() -> None:
    def register(resolver: Resolver) -> None:
        resolver.get("/a", auth=Jwt(ISSUER, "a"), name="a")(show)
        resolver.get("/b", auth=Jwt(ISSUER, "b"), name="b")(show)
        resolver.get("/c", auth=Jwt(ISSUER, "a"), name="c")(show)

    made = document_of(register)

    assert [list(made["paths"][path]["get"]["security"][0]) for path in ("/a", "/b", "/c")] == [
        ["jwt"],
        ["jwt_2"],
        ["jwt"],
    ]


def test_internal_calls_are_not_told() -> None:
    assert of_route([Bypass(SECRET), ApiKey(Known())])[0] == [{"api_key": []}]
    assert of_route([Bypass(SECRET)]) == (
        [{"bypass": []}],
        {"bypass": {"type": "http", "scheme": "bearer", "description": "For internal calls alone."}},
    )


def test_a_route_that_is_open_among_others_says_so() -> None:
    def register(resolver: Resolver) -> None:
        resolver.get("/closed")(show)
        resolver.get("/open", auth="off", name="health")(show)

    paths = document_of(register, auth=ApiKey(Known()))["paths"]

    assert paths["/open"]["get"]["security"] == []
    assert "401" not in paths["/open"]["get"]["responses"]
    assert list(paths["/closed"]["get"]["responses"])[1:3] == ["401", "403"]


def test_an_application_that_asks_nobody_says_nothing() -> None:
    made = document_of(lambda resolver: resolver.get("/")(show))

    assert "security" not in made["paths"]["/"]["get"]
    assert "components" not in made or "securitySchemes" not in made["components"]


def test_middleware_that_authenticates_counts() -> None:
    group = Router("/mine", middleware=[Authenticate(Bearer(Known()), mode="user")])
    group.get("/")(show)

    operation = document_of(lambda resolver: resolver.include(group))["paths"]["/mine"]["get"]

    assert operation["security"] == [{"token": []}]
    assert operation["description"] == "The credential has to name a user; it need not be valid for a tenant."
    assert "401" in operation["responses"]


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("user", "The credential has to name a user; it need not be valid for a tenant."),
        ("tenant", "The credential has to be valid for the tenant of the request; it need not name a user."),
        ("full", None),
    ],
)
def test_a_mode_that_asks_for_less_than_usual_is_said(mode: str, told: str | None) -> None:
    made = document_of(lambda resolver: resolver.get("/", auth=Auth(ApiKey(Known()), mode=mode))(show))

    assert made["paths"]["/"]["get"].get("description") == told


def test_a_credential_may_share_the_scheme_of_another() -> None:
    assert of_route([Described(), Paper()]) == ([{"badge": []}], {"badge": Described.openapi})


@pytest.mark.parametrize(
    ("credential", "told"),
    [
        (Badge(), "Badge has no security scheme for documents"),
        (Lost(), "Lost names the security scheme 'passport', which no guard has"),
        (Wrong(), r"Wrong\.openapi is no security scheme"),
    ],
)
def test_a_scheme_that_nobody_knows_is_refused(credential: Credential, told: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"{HERE.name}:\d+.*{told}"):
        of_route(credential)


def test_openapi_3_0_does_not_know_certificates_of_clients() -> None:
    class Certificate(Described):
        openapi: ClassVar[Any] = {"type": "mutualTLS"}

    resolver = Resolver()
    resolver.get("/", auth=Certificate())(show)

    with pytest.raises(ConfigurationError, match=r"3\.0 does not know mutualTLS"):
        openapi(describe(resolver, Info("A shop")), "3.0.3")
