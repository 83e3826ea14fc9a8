"""Write a typed client of an application: one module for the services beside it, of dataclasses and methods.

text = client_module(describe(resolver, Info("The shop")), name="ShopClient")
"""

from __future__ import annotations

from router.contract.client.module import client_module as client_module

__all__ = ["client_module"]
