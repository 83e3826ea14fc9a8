"""A small application: a request, and jobs of which some fail."""

from __future__ import annotations

from router import Event, Resolver

resolver = Resolver()


@resolver.get("/hello")
def hello() -> dict[str, str]:
    return {"hello": "world"}


@resolver.on_queue("jobs")
def work(event: Event) -> None:
    if event.json()["id"] == 2:
        raise ValueError(f"job {event.json()['id']} is broken")
