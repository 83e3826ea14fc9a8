"""Telemetry: logs, metrics, traces and usage of each dispatch. Names are loaded when they are first used."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from router.dispatch.invocation import Invocation as Invocation
    from router.dispatch.invocation import current_invocation as current_invocation
    from router.telemetry.dispatch_metrics import DispatchMetrics as DispatchMetrics
    from router.telemetry.fields import DEFAULT_FIELDS as DEFAULT_FIELDS
    from router.telemetry.fields import OTEL_FIELDS as OTEL_FIELDS
    from router.telemetry.json_lines import JsonLines as JsonLines
    from router.telemetry.log_fields import LogFields as LogFields
    from router.telemetry.otel import OpenTelemetry as OpenTelemetry
    from router.telemetry.redaction import Redact as Redact
    from router.telemetry.usage import Usage as Usage
    from router.telemetry.usage_manual import Tracking as Tracking
    from router.telemetry.usage_prices import PRICES as PRICES
    from router.telemetry.usage_prices import Billed as Billed
    from router.telemetry.usage_prices import FlatPrice as FlatPrice
    from router.telemetry.usage_prices import LambdaPrices as LambdaPrices
    from router.telemetry.usage_prices import Rates as Rates
    from router.telemetry.usage_sinks import UsageLog as UsageLog
    from router.telemetry.usage_sinks import UsageMetrics as UsageMetrics
else:
    from router.lazy import lazy_names

    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "..dispatch.invocation": "Invocation current_invocation",
            "dispatch_metrics": "DispatchMetrics",
            "fields": "DEFAULT_FIELDS OTEL_FIELDS",
            "json_lines": "JsonLines",
            "log_fields": "LogFields",
            "otel": "OpenTelemetry",
            "redaction": "Redact",
            "usage": "Usage",
            "usage_manual": "Tracking",
            "usage_prices": "PRICES Billed FlatPrice LambdaPrices Rates",
            "usage_sinks": "UsageLog UsageMetrics",
        },
    )
