"""A large application, with some of everything that an OpenAPI document has a place for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from router import (
    AppError,
    Authenticate,
    Body,
    Cookie,
    Envelope,
    FromRequest,
    Header,
    HttpEvent,
    Identity,
    Path,
    Query,
    Resolver,
    Response,
    Router,
    SessionPolicy,
)
from router.contract import Info
from router.guards import ApiKey, Bearer, Claims, Iam

INFO = Info(
    "A large application",
    "2.1.0",
    description="Some of *everything*.",
    servers={"https://large.example": "production", "https://test.large.example": ""},
    tags={"things": "What there is", "unused": ""},
    contact="team@large.example",
    license="Apache-2.0",
)


class Known:
    """Looks tokens up, and knows none."""

    def authenticate(self, token: str, /) -> Identity | None:
        return None


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Part:
    sku: Annotated[str, Body(min_length=2, max_length=8, examples=["a1"])]
    count: Annotated[int, Body(gt=0)] = 1


@dataclass
class Thing:
    """A thing, with its parts."""

    id: UUID
    made: datetime
    colour: Colour
    price: Decimal
    parts: list[Part] = field(default_factory=list)
    inside: Thing | None = None
    labels: dict[str, str] = field(default_factory=dict)


class Change(BaseModel):
    """What changes of a thing."""

    name: str = Field(min_length=1, max_length=40, examples=["lamp"])
    due: date | None = None
    kind: Literal["new", "used"] = "new"


class SoldOut(AppError):
    code = "B00017"
    message = "the article is sold out"
    status = 409


@dataclass
class Filters:
    limit: Annotated[int, Query(ge=1, le=100, description="Of one page.")] = 20
    after: str | None = None
    tag: list[str] = field(default_factory=list)


def application() -> Resolver:
    """Return the application."""
    resolver = Resolver(
        session=SessionPolicy(request=FromRequest(tenant_header="x-tenant")),
        problem_fields={"message": "detail"},
        auth=[Bearer(Known()), ApiKey(Known())],
    )
    resolver.include(_things())
    resolver.include(_old())
    _register_others(resolver)
    return resolver


def _things() -> Router:
    things = Router("/things", tags=["things"])

    @things.get("/", auth="off")
    def search(filters: Query[Filters], colours: list[Colour] | None = None) -> list[Thing]:
        """Search things. An empty text finds all of them."""
        return []

    @things.get("/{id:uuid}")
    def show(
        id: UUID,
        x_trace: Annotated[str, Header(description="Of the caller.", examples=["t-1"])],
        seen: Annotated[int, Cookie(deprecated=True)] = 0,
    ) -> Thing | None:
        """Show a thing.

        Without one the answer is empty.
        """

    @things.post("/", responses={201: Thing, 409: SoldOut, 404: "There is no such colour"})
    def make(thing: Annotated[Thing, Body(description="The thing.")]) -> tuple[Thing, int]:
        return thing, 201

    @things.patch("/{id:uuid}", deprecated=True, auth=Claims())
    def change(id: UUID, change: Change) -> Change:
        return change

    @things.delete("/{id:uuid}", auth=Iam("arn:aws:iam::123456789012:*"))
    def remove(id: UUID) -> None: ...

    @things.head("/{id:uuid}/picture")
    def peek(id: UUID) -> None: ...

    @things.put("/{id:uuid}/picture")
    def draw(id: UUID, picture: Body[bytes]) -> None: ...

    @things.get("/{id:uuid}/picture", responses={200: {"model": bytes, "media_type": "image/png"}, 304: "Not changed"})
    def picture(id: UUID) -> Response:
        return Response(b"")

    return things


def _register_others(resolver: Resolver) -> None:
    @resolver.get("/files/{path+}", auth="off")
    def file(path: str) -> Response:
        """Send a file."""
        return Response.text(path)

    @resolver.get("/any/{x}/of", auth="off")
    def of(x: Annotated[int, Path(ge=1)], price: Decimal = Decimal("1.50"), at: date | None = None) -> dict[str, Any]:
        return {}

    @resolver.post("/any/{y}/of", auth="off")
    def to(y: str, text: Body[str]) -> str:
        return text

    @resolver.route("/both", ["GET", "POST"], auth="off", name="both")
    def both(event: HttpEvent) -> str:
        return "both"

    @resolver.get("/new/{id}", envelope=Envelope(duration=None), auth="off")
    def new_show(id: str) -> str:
        return id

    @resolver.options("/new/{id}", auth="off")
    def allowed(id: str) -> None: ...

    @resolver.get("/hidden", include_in_schema=False)
    def hidden() -> None: ...

    @resolver.on_queue("jobs")
    def job(part: Part) -> None: ...


def _old() -> Router:
    old = Router("/old", envelope=Envelope(code="rslt_cd", status=200), auth="off")

    @old.get("/{id:int}", responses={404: "Not there"})
    def old_show(id: int) -> Part: ...  # type: ignore[empty-body]

    @old.get("/plain", envelope="off")
    def plain() -> Part: ...  # type: ignore[empty-body]

    return old


def with_many_routes(count: int) -> Resolver:
    """Return an application of many routes, each with parameters, a body and an answer."""
    resolver = Resolver(auth=Bearer(Known()))
    resolver.use(Authenticate(ApiKey(Known())))
    for at in range(count):

        @resolver.post(
            f"/things/{at}/{{id:uuid}}", name=f"make_{at}", tags=["things"], responses={201: Thing, 409: SoldOut}
        )
        def make(id: UUID, thing: Thing, limit: Annotated[int, Query(ge=1)] = 20, tag: list[str] | None = None) -> None:
            """Make a thing. It takes a while."""

    return resolver
