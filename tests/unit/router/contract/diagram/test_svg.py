"""The picture as a file: XML that holds nothing foreign, with all names, and the same bytes from run to run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from router import Resolver
from router.contract.diagram import mermaid, picture, svg
from router.contract.interface import Info, describe
from tests.clock import processor_time
from tests.unit.router.contract.diagram import shops

SVG = "{http://www.w3.org/2000/svg}"
ROOT = Path(__file__).parents[5]
_DRAW = """
from router.contract.diagram import mermaid, picture, svg
from router.contract.interface import Info, describe
from tests.unit.router.contract.diagram import shops
for shop in (shops.small(), shops.hostile(), shops.large(40)):
    for group in ("source", "tag"):
        drawn = picture(describe(shop, Info("The shop")), group=group)
        print(svg(drawn), mermaid(drawn))
"""


def of(resolver: Resolver, title: str = "The shop") -> str:
    return svg(picture(describe(resolver, Info(title))))


def tree(text: str) -> ET.Element:
    return ET.fromstring(text)


@pytest.mark.parametrize("make", [shops.small, shops.hostile, lambda: shops.large(40), Resolver])
def test_it_is_xml_without_anything_that_runs_or_is_fetched(make: Callable[[], Resolver]) -> None:
    root = tree(of(make()))
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        *("svg", "title", "desc", "style", "g", "rect", "path", "text"),
    }
    names = {name for element in root.iter() for name in element.attrib}
    assert not {name for name in names if name.startswith("on") or "href" in name or name == "style"}
    assert "url(" not in (root.findtext(f"{SVG}style") or "")
    assert "@import" not in (root.findtext(f"{SVG}style") or "")


def test_it_names_each_route_in_full_where_there_is_room_for_a_part_of_it() -> None:
    root = tree(of(shops.hostile()))
    told = " ".join(title.text or "" for title in root.iter(f"{SVG}title"))
    shown = [text.text or "" for text in root.iter(f"{SVG}text")]
    assert "W" * 120 in told
    assert any(text.startswith("WWW") and "…" in text for text in shown)
    assert "<b>bold</b><script>alert(1)</script>" in told


def test_signs_that_nobody_sees_are_written_out() -> None:
    root = tree(of(shops.hostile()))
    told = " ".join(title.text or "" for title in root.iter(f"{SVG}title"))
    assert r"two lines and \x07 a bell, \u202e turned \ud800" in told


def test_readers_of_screens_hear_lists_of_sources_routes_and_uses() -> None:
    root = tree(of(shops.small()))
    assert root.findtext(f"{SVG}title") == "The shop"
    assert (root.findtext(f"{SVG}desc") or "").startswith("5 sources · 7 routes · 4 resources")
    lists = [one.attrib["aria-label"] for one in root.iter(f"{SVG}g") if one.get("role") == "list"]
    assert lists[0] == "Sources"
    assert lists[-1] == "Used by routes"
    heard = [one.findtext(f"{SVG}title") for one in root.iter(f"{SVG}g") if one.get("role") == "listitem"]
    assert "POST /orders: place; uses table ORDERS_TABLE (GetItem, PutItem), topic order-events (Publish)" in heard


def test_the_legend_says_what_is_there_and_no_more() -> None:
    resolver = Resolver()
    resolver.get("/")(lambda: None)
    assert "reads only" not in of(resolver)
    assert all(words in of(shops.small()) for words in ("reads only", "changes, sends or calls", "say who they are"))


def test_a_title_is_text_in_both_forms() -> None:
    drawn = picture(describe(shops.small(), Info("<b>A & B</b>; %%{x}%%")))
    assert tree(svg(drawn)).findtext(f"{SVG}title") == "<b>A & B</b>; %%{x}%%"
    assert "<b>" not in mermaid(drawn)
    assert "%%" not in mermaid(drawn)


def test_the_bytes_do_not_depend_on_the_process() -> None:
    def written(seed: str) -> bytes:
        environ = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"}
        return subprocess.run(
            [sys.executable, "-c", _DRAW], cwd=ROOT, env=environ, check=True, capture_output=True
        ).stdout

    first = written("1")
    assert first.count(b"</svg>") == 6
    assert first == written("2")


def test_five_hundred_routes_take_less_than_a_second() -> None:
    resolver = shops.large(500)
    for group in ("source", "tag"):
        with processor_time() as spent:
            drawn = picture(describe(resolver, Info("The shop")), group=group)
            svg(drawn), mermaid(drawn)
        assert spent() < 3  # a second, on a machine that is three times as slow
        assert len(drawn.rows) == 500


def test_forty_routes_have_no_more_lines_than_things_to_tell() -> None:
    drawn = picture(describe(shops.large(40), Info("The shop")))
    text = mermaid(drawn)
    of_sources = [line for line in text.splitlines() if line.startswith("  s_") and "-->" in line]
    assert len(of_sources) == len(drawn.sources)  # one to the group of all requests, in place of one to each
