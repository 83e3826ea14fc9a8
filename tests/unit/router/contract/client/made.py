"""Make a client of an application and import it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import httpx

from adapters.http import Services
from router import Resolver
from router.contract.client import client_module
from router.contract.interface import Info, describe
from router.testing import TestClient


def text_of(resolver: Resolver, name: str = "ShopClient", title: str = "The shop") -> str:
    """Return the source of the client of an application."""
    return client_module(describe(resolver, Info(title)), name)


def imported(text: str, folder: Path, name: str) -> ModuleType:
    """Return a module of a source text."""
    path = folder / f"{name}.py"
    path.write_text(text, "utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses look for the names in their annotations
    spec.loader.exec_module(module)
    return module


def services_of(resolver: Resolver, name: str) -> Services:
    """Return services whose requests an application answers in this process."""
    client = TestClient(resolver)

    def answer(request: httpx.Request) -> httpx.Response:
        found = client.request(
            request.method,
            request.url.raw_path.decode(),
            headers=dict(request.headers),
            body=request.content,
        )
        return httpx.Response(found.status, headers=dict(found.headers), content=found.body)

    return Services({name: "https://shop.internal"}, transport=httpx.MockTransport(answer))
