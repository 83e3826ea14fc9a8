"""`junction tokens`: issue, rotate, revoke and list the tokens of an application.

A secret is written to standard output, once and alone, so that it can be piped; all else goes to standard error.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from router.cli.loading import load, name_of_type, refuse
from router.cli.options import Command
from router.cli.output import AsJson, print_json
from router.cli.shadowing import needs_adapters
from router.errors import ConfigurationError, RouterError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.tokens import IssuedToken, Token, Tokens

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_COLUMNS = ("id", "state", "name", "user", "tenants", "created", "expires", "last used")

app = typer.Typer(
    help="Issue, rotate, revoke and list tokens.\n\n"
    "Exit status: 0 when it is done, 1 when it failed or there is no such token, 2 for wrong arguments.",
    no_args_is_help=True,
)

User = Annotated[str | None, typer.Option(metavar="USER", help="The user.", show_default=False)]
Id = Annotated[str, typer.Argument(metavar="ID", help="The id of a token, as `list` shows it.", show_default=False)]


@app.callback()
def _application(
    context: typer.Context,
    application: Annotated[
        str,
        typer.Argument(metavar="APP", help="A `Tokens` object: `package.module:tokens`.", show_default=False),
    ],
) -> None:
    context.obj = application


# ---- commands ------------------------------------------------------------------------------------------------------


@app.command(cls=Command)
def issue(
    context: typer.Context,
    expires_in: Annotated[
        str,
        typer.Option(metavar="TIME", help="For how long: `30d`, `12h`, `15m`, `60s`, or `never`.", show_default=False),
    ],
    user: User = None,
    tenant: Annotated[
        list[str] | None,
        typer.Option(metavar="TENANT", help="A tenant that it is valid for; may be repeated.", show_default=False),
    ] = None,
    claims: Annotated[
        str | None, typer.Option(metavar="JSON", help="Claims of the session, a JSON object.", show_default=False)
    ] = None,
    name: Annotated[str, typer.Option(help="Tells it apart in the list.", show_default=False)] = "",
    as_json: AsJson = False,
) -> None:
    """Issue a token, and write it to standard output. It is not shown again."""
    lifetime = _lifetime(expires_in, "--expires-in", never=True)
    held = _claims(claims)
    with _tokens(context) as tokens:
        _show(tokens.issue(user, tenant or (), expires_in=lifetime, claims=held, name=name), as_json=as_json)


@app.command(cls=Command)
def rotate(
    context: typer.Context,
    id: Id,
    grace: Annotated[
        str, typer.Option(metavar="TIME", help="For how long the old one is still good, such as `1d`.")
    ] = "0s",
    expires_in: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="For how long the new one is; by default as long as the old one.", show_default=False
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Issue a token in the place of another, which ends, and write it to standard output."""
    wait = _lifetime(grace, "--grace")
    options = {} if expires_in is None else {"expires_in": _lifetime(expires_in, "--expires-in", never=True)}
    with _tokens(context) as tokens:
        _show(tokens.rotate(id, grace=wait or 0, **options), as_json=as_json)


@app.command(cls=Command)
def revoke(
    context: typer.Context,
    id: Annotated[str | None, typer.Argument(metavar="ID", help="The id of one token.", show_default=False)] = None,
    user: User = None,
    tenant: Annotated[str | None, typer.Option(metavar="TENANT", help="The tenant.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """End a token by its id, or all those of a user, of a tenant, or of a user in a tenant."""
    several = user is not None or tenant is not None
    if (id is not None) == several:
        refuse("give the ID of a token, or --user, --tenant or both")
    with _tokens(context) as tokens:
        if id is not None and not tokens.revoke(id):
            _fail("there is no such token, or it was revoked before")
        revoked = 1 if id is not None else tokens.revoke_all(user=user, tenant=tenant)
        print_json({"revoked": revoked}) if as_json else typer.echo(f"{revoked} revoked")


@app.command("list", cls=Command)
def list_(
    context: typer.Context,
    user: User = None,
    tenant: Annotated[str | None, typer.Option(metavar="TENANT", help="The tenant.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """List the tokens, the oldest first: all, or those of a user, of a tenant or of both."""
    if as_json:
        with _tokens(context) as tokens:
            now = datetime.now(UTC)
            print_json([_data(token, now) for token in tokens.list(user=user, tenant=tenant)])
        return
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        refuse('the table needs rich: pip install "lambda-junction[cli]"')
    with _tokens(context) as tokens:
        found = tokens.list(user=user, tenant=tenant)
    table = Table(*_COLUMNS)
    now = datetime.now(UTC)
    for token in found:
        # As Text: a name with [brackets] is no markup.
        table.add_row(*(Text(text, overflow="fold") for text in _row(token, now)))
    # Into a file or another program it goes whole, whatever the width of a terminal.
    Console(width=None if sys.stdout.isatty() else 1000).print(table)


# ---- parts ---------------------------------------------------------------------------------------------------------


@contextmanager
def _tokens(context: typer.Context) -> Iterator[Tokens]:
    """Find the object that APP names, and tell of errors in one line each."""
    name = str(context.obj)
    found: Any = load(name, "APP", "package.module:tokens")
    if problem := needs_adapters("tokens"):
        refuse(problem)
    from adapters.tokens import InvalidRequest, Tokens

    if not isinstance(found, Tokens):
        refuse(f"APP {name!r} is not a Tokens object (got {name_of_type(found)})")
    try:
        yield found
    except (InvalidRequest, ConfigurationError) as error:
        refuse(error)
    except RouterError as error:
        _fail(error)


def _data(token: Token, now: datetime) -> dict[str, Any]:
    """Return a token as JSON data."""
    return {**_fields(token), "state": _state(token, now)}


def _fields(held: Token | IssuedToken) -> dict[str, Any]:
    return {one.name: _json(getattr(held, one.name)) for one in fields(held)}


def _json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return value.isoformat() if isinstance(value, datetime) else value


def _show(issued: IssuedToken, *, as_json: bool) -> None:
    if as_json:
        print_json(_fields(issued))
        return
    ends = "never" if issued.expires_at is None else _moment(issued.expires_at)
    typer.echo(f"id {issued.id}, expires {ends}; the token is not shown again:", err=True)
    typer.echo(issued.token)


def _fail(why: object) -> None:
    typer.echo(f"error: {' '.join(str(why).split())}", err=True)
    raise typer.Exit(1)


def _lifetime(text: str, option: str, *, never: bool = False) -> timedelta | None:
    """Return what `30d` means; None for `never`, where it may be that."""
    if never and text == "never":
        return None
    found = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    if found is None:
        refuse(f"{option} {text!r}: write it as 30d, 12h, 15m or 60s{', or never' if never else ''}")
    try:
        return timedelta(**{_UNITS[found[2]]: int(found[1])})
    except OverflowError:
        refuse(f"{option} {text!r} is too long")


def _claims(text: str | None) -> dict[str, Any] | None:
    try:
        held = None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        refuse("--claims: this is not JSON")
    if held is not None and not isinstance(held, dict):
        refuse('--claims: give a JSON object, such as {"role": "admin"}')
    return held


def _row(token: Token, now: datetime) -> tuple[str, ...]:
    moments = (token.created_at, token.expires_at, token.last_used_at)
    return (
        *(token.id, _state(token, now), str(token.name), str(token.user or ""), ", ".join(map(str, token.tenants))),
        *("" if moment is None else _moment(moment) for moment in moments),
    )


def _state(token: Token, now: datetime) -> str:
    if token.revoked_at is not None:
        return "revoked"
    if token.disabled:
        return "disabled"
    ended = isinstance(token.expires_at, datetime) and token.expires_at <= now
    if token.replaced_by is not None:
        return f"{'rotated' if ended else 'in grace'}, now {token.replaced_by}"
    return "expired" if ended else "valid"


def _moment(value: Any) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%SZ") if isinstance(value, datetime) else str(value)
