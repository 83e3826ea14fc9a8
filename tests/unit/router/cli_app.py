"""Applications for the tests of the command line."""

from __future__ import annotations

from router import Auth, Event, Resolver, Router, Session
from router.guards import Authenticate, anyone, permission

resolver = Resolver()
empty = Resolver()
not_one = "text"


@resolver.get("/orders/{order_id}", tags=["read"])
def show(order_id: str) -> str:
    return order_id


@resolver.on_queue("orders-*", concurrency=3)
def order(event: Event) -> None: ...


@resolver.on_queue("mail", batch=True, pattern={"body": {"kind": ["x"]}})
def mail(events: list[Event]) -> None: ...


@resolver.on_stream("table", events=["INSERT"])
def inserted() -> None: ...


@resolver.get("/health", auth="off")
def health() -> str:
    return "ok"


@resolver.on_object("files[1]", prefix="in/", suffix=".csv")
def file() -> None: ...


@resolver.on_task("nightly")
def nightly(event: Event) -> int:
    return 7 if event.session.tenant == "acme" else 0


@resolver.on_task("broken")
def broken() -> None:
    raise ValueError("cannot")


router = Router()


# ---- who may call what ---------------------------------------------------------------------------------------------


class Book:
    """An authenticator of nobody."""

    def authenticate(self, token: str) -> None: ...


@permission
def owner(session: Session) -> bool:
    return True


listed = Resolver(auth=Auth(Book(), mode="user"), deny_by_default=True)
listed.get("/a", permission=owner | anyone)(health)
listed.get("/b", auth="off", permission=anyone)(health)
listed.get("/c")(health)
listed.on_queue("jobs", permission=anyone)(health)

used = Resolver().use(Authenticate(Book(), mode="tenant"))
used.get("/a")(health)
used.get("/b", auth="user")(health)
used.get("/c", auth="off")(health)
used.on_queue("jobs")(health)
used.on_message("say")(health)
