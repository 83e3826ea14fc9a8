"""Write OpenAPI documents, and serve them: what the HTTP routes of an application take and answer.

    document = openapi(describe(resolver, Info("The shop", "1.4.0")))

Names are loaded when they are first used: an application that serves its document imports none of what makes it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from router.contract.openapi.document import VERSIONS as VERSIONS
    from router.contract.openapi.document import openapi as openapi
    from router.contract.openapi.merging import merged as merged
    from router.contract.openapi.serving import serve_openapi as serve_openapi
else:
    from router.lazy import lazy_names

    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "document": "VERSIONS openapi",
            "merging": "merged",
            "serving": "serve_openapi",
        },
    )
