"""Draw what an application does: sources, the routes that take their events, and what these use.

drawn = picture(describe(resolver, Info("The shop")), stack.infrastructure())
drawn_as_svg, drawn_as_text = svg(drawn), mermaid(drawn)
"""

from __future__ import annotations

from router.contract.diagram.graph import GROUPINGS as GROUPINGS
from router.contract.diagram.graph import picture as picture
from router.contract.diagram.mermaid import mermaid as mermaid
from router.contract.diagram.model import Picture as Picture
from router.contract.diagram.svg import svg as svg

__all__ = ["GROUPINGS", "Picture", "mermaid", "picture", "svg"]
