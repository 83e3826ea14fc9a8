"""Describe what agents may call: the catalogue of tools, and the forms that Bedrock and AgentCore want.

described = describe(resolver, Info("The shop"))
for tool in catalogue(described): ...
"""

from __future__ import annotations

from router.contract.tools.catalogue import Tool as Tool
from router.contract.tools.catalogue import catalogue as catalogue
from router.contract.tools.catalogue import left_out as left_out

__all__ = ["Tool", "catalogue", "left_out"]
