"""The source of a client: what checkers say of it, that texts in it stay texts, and what is refused."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import make_dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router import AppError, Body, HttpEvent, QueueEvent, Resolver
from router.contract.client import client_module
from router.contract.client.text import docstring, literal
from router.contract.interface import Info, describe
from router.errors import ConfigurationError
from tests.checkers import ROOT, mypy, pyright
from tests.clock import processor_time
from tests.unit.router.contract.client import odd_shop
from tests.unit.router.contract.client.made import imported, text_of

USER = '''
"""Uses a client rightly; each line that ends with a comment is wrong."""

import datetime as dt
from decimal import Decimal

from odd_client import Card, Cash, Node, OddClient, Priced

from adapters.http import Services

client = OddClient(Services({"odd": "https://odd.example"}), function="odd")
priced = Priced(unitPrice=Decimal(1), from_=dt.date(2026, 3, 1))


async def use() -> Decimal:
    found = await client.http.price_async(priced, x_trace="t", timeout=3)
    assert found is not None
    tree: list[Node] = client.http.import_(Node(name="a")).items
    paid: list[Card | Cash] = client.invoke.re_build(tree[0]).items
    client.queues.orders_fifo.send(priced)
    client.topics.n2fa.publish(tree[0])
    content: bytes = client.http.read("a")
    return found.least if paid and content else Decimal(0)


client.http.price({"unitPrice": 1}, x_trace="t")  # wrong
client.http.price(priced)  # wrong
client.http.pay("no uuid", "c", priced)  # wrong
client.topics.n2fa.publish(priced)  # wrong
client.http.import_(Node(name="a")).total  # wrong
Priced(unitPrice=Decimal(1))  # wrong
priced.rate = 2.0  # wrong
'''


def ruff(*words: str, text: str) -> str:
    """Return what ruff makes of a text."""
    command = [sys.executable, "-m", "ruff", *words, "--stdin-filename", "client.py", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


@pytest.mark.parametrize("width", ["88", "120"])
def test_it_is_laid_out_as_ruff_leaves_it(width: str) -> None:
    text = text_of(odd_shop.resolver, "OddClient")
    assert ruff("format", "--line-length", width, text=text) == text


@pytest.mark.parametrize("rules", [("--isolated",), ("--config", "pyproject.toml")])
def test_linters_have_nothing_against_it(rules: tuple[str, ...]) -> None:
    assert "All checks passed" in ruff("check", *rules, text=text_of(odd_shop.resolver, "OddClient"))


def test_type_checkers_find_what_is_wrong_in_its_use_and_nothing_in_it(tmp_path: Path) -> None:
    (tmp_path / "odd_client.py").write_text(text_of(odd_shop.resolver, "OddClient"), "utf-8")
    (tmp_path / "user.py").write_text(USER, "utf-8")
    wrong = {number for number, line in enumerate(USER.splitlines(), 1) if line.endswith("# wrong")}
    for found in (mypy(tmp_path, "client"), pyright(tmp_path)):
        assert {one.file for one in found} == {"user.py"}, found
        assert {one.line for one in found} == wrong, found


def test_it_imports_this_library_and_the_standard_one_alone() -> None:
    tree = ast.parse(text_of(odd_shop.resolver))
    modules = {one.module or "" for one in ast.walk(tree) if isinstance(one, ast.ImportFrom)}
    modules |= {name.name for one in ast.walk(tree) if isinstance(one, ast.Import) for name in one.names}
    packages = {name.partition(".")[0] for name in modules}
    assert packages - sys.stdlib_module_names == {"adapters", "router"}


def test_it_needs_no_pydantic_httpx_or_boto3_to_be_imported(tmp_path: Path) -> None:
    (tmp_path / "odd_client.py").write_text(text_of(odd_shop.resolver, "OddClient"), "utf-8")
    code = "import sys, odd_client; odd_client.OddClient(); print({'pydantic', 'httpx', 'boto3'} & sys.modules.keys())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == ("set()", "")


def test_its_bytes_are_the_same_in_every_run() -> None:
    code = (
        "from tests.unit.router.contract.client.made import text_of; import sys\n"
        "from tests.unit.router.contract.client.odd_shop import resolver\n"
        "sys.stdout.buffer.write(text_of(resolver).encode())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1] == text_of(odd_shop.resolver).encode()
    assert str(ROOT).encode() not in runs[0]


# ---- texts ----------------------------------------------------------------------------------------------------------

TEXTS = st.text(st.sampled_from("\"'\\{}%#\n\r\t\x00\x0c\u2028\u202e\ud800aN0 `>.:-"), max_size=60) | st.text()


@settings(max_examples=300)
@given(TEXTS)
def test_a_literal_is_the_text(text: str) -> None:
    assert ast.literal_eval(literal(text)) == text


@settings(max_examples=300)
@given(TEXTS, TEXTS)
def test_a_docstring_is_one_expression_whatever_it_says(first: str, second: str) -> None:
    source = "\n".join(line.removeprefix("\0") for line in docstring([first, second], 1))
    tree = ast.parse(f"class A:\n{source or '    pass'}")
    [held] = tree.body[0].body  # type: ignore[attr-defined]
    assert isinstance(held, ast.Pass) or isinstance(held.value.value, str)


def test_formatters_leave_docstrings_of_any_text(tmp_path: Path) -> None:
    odd = ['"', '""', '"""', "\\", '\\"', ' "quoted"', "a\\", "a\n\nb\n    code()\n\nc", ">>> f( 1 )", "::"]
    odd += ["x::\n\n    f( )", "```\nf( 1 )\n```", ".. code:: python\n\n   f( 1 )", "- a\n- b", "'''", "a" * 200]
    odd += ["b " * 99, "\u202e\x00"]
    lines = ["class A:"]
    for number, text in enumerate(odd):
        for indent, texts in ((1, [text]), (1, [text, text])):
            lines += ["", f"    def f{number}_{len(texts)}(self) -> None:"]
            lines += [line.removeprefix("\0") for line in docstring([*texts], indent + 1)] or ["        pass"]
    text = "\n".join(lines).replace("class A:\n\n", "class A:\n") + "\n"
    assert ruff("format", "--config", "pyproject.toml", text=text) == text


def test_hostile_texts_run_nothing(tmp_path: Path) -> None:
    title = 'a""" import os; os.abort() """'
    text = client_module(describe(odd_shop.resolver, Info(title, description=odd_shop.HOSTILE)), "OddClient")
    assert imported(text, tmp_path, "hostile_client").OddClient.__doc__.startswith('a""" import os; os.abort() """')


# ---- refusals -------------------------------------------------------------------------------------------------------


def resolver_of(*register: Callable[[Resolver], object]) -> Resolver:
    resolver = Resolver()
    for one in register:
        one(resolver)
    return resolver


def first(event: HttpEvent) -> None:
    """Answer nothing."""


def second(event: HttpEvent) -> None:
    """Answer nothing."""


def third(event: QueueEvent) -> None:
    """Take a message."""


@pytest.mark.parametrize(("one", "other"), [("show", "show"), ("show", "show_async"), ("import", "import_")])
def test_two_calls_of_one_name_are_refused_with_their_lines(one: str, other: str) -> None:
    resolver = resolver_of(lambda app: app.get("/a", name=one)(first), lambda app: app.get("/b", name=other)(second))
    with pytest.raises(ConfigurationError, match="would both be") as caught:
        text_of(resolver)
    for handler in (first, second):
        assert f"test_module.py:{handler.__code__.co_firstlineno}" in str(caught.value)


def test_two_queues_of_one_name_in_python_are_refused() -> None:
    resolver = resolver_of(lambda app: app.on_queue("a-b")(third), lambda app: app.on_queue("a_b")(third))
    with pytest.raises(ConfigurationError, match=r"would both be 'a_b'.*name"):
        text_of(resolver)


def test_several_routes_of_one_queue_are_one_queue() -> None:
    a, b = make_dataclass("A", [("kind", int)]), make_dataclass("B", [("other", int)])
    for kind in (a, b):
        kind.__module__ = __name__

    def of_a(body: Body[a]) -> None: ...  # type: ignore[valid-type]
    def of_b(body: Body[b]) -> None: ...  # type: ignore[valid-type]

    for function, kind in ((of_a, a), (of_b, b)):
        function.__annotations__["body"] = kind
    resolver = resolver_of(
        lambda app: app.on_queue("jobs", pattern={"body": {"kind": [1]}})(of_a), lambda app: app.on_queue("jobs")(of_b)
    )
    assert "self.jobs: _SisterQueue[A | B] = _SisterQueue(" in text_of(resolver)


@pytest.mark.parametrize("name", ["no name", "class", "_Hidden", "Ü", "a.b"])
def test_a_name_that_no_class_has_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be named"):
        text_of(odd_shop.resolver, name)


def test_an_application_that_nobody_calls_has_no_client() -> None:
    resolver = resolver_of(lambda app: app.on_schedule("nightly")(lambda event: None))
    with pytest.raises(ConfigurationError, match="nothing to make a client of"):
        text_of(resolver)


def test_the_title_names_the_class() -> None:
    resolver = resolver_of(lambda app: app.get("/a")(first))
    assert "class TheShopClient:" in text_of(resolver, "")


# ---- figures --------------------------------------------------------------------------------------------------------


def test_five_hundred_routes_take_less_than_a_second() -> None:
    resolver = Resolver()
    for number in range(500):
        kind = make_dataclass(f"Order{number}", [("name", str), ("tags", list[str]), ("quantity", int, 1)])
        kind.__module__ = __name__

        def handler(body: Any, limit: int = 1) -> Any: ...

        handler.__annotations__ |= {"body": kind, "limit": int, "return": kind}
        resolver.post(f"/orders{number}/{{id}}", name=f"place{number}")(handler)
    interface = describe(resolver, Info("The shop"))
    with processor_time() as spent:
        text = client_module(interface)
    assert text.count("    def place") == 500
    assert spent() < 3  # a second, on a machine that is three times as slow


class Leaf(NamedTuple):
    name: str
    leaves: list[Leaf] | None = None


def test_a_named_tuple_that_holds_itself_is_one_class(tmp_path: Path) -> None:
    def grow(leaf: Annotated[Leaf, Body()]) -> None: ...

    resolver = Resolver()
    resolver.post("/leaves")(grow)
    text = text_of(resolver)
    assert text.count("\nclass Leaf") == 1
    imported(text, tmp_path, "leaf_client")


# ---- words ----------------------------------------------------------------------------------------------------------


class OnLoan(AppError):
    code = "LIB01"
    message = "all copies are lent"
    status = 409


def test_an_error_is_described_by_its_message() -> None:
    assert "- 409: all copies are lent" in text_of(
        resolver_of(lambda app: app.get("/a", responses={409: OnLoan})(first))
    )


@pytest.mark.parametrize(
    ("register", "told"),
    [(lambda app: app.get("/a")(first), True), (lambda app: app.on_queue("a")(third), False)],
)
def test_the_head_names_the_extra_that_requests_need(register: Callable[[Resolver], object], told: bool) -> None:
    head = " ".join((ast.get_docstring(ast.parse(text_of(resolver_of(register)))) or "").split())
    assert ("HTTP calls need the extra `http`" in head) is told
