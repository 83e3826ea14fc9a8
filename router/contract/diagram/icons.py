"""Hold the signs of sources and resources: lines on a square of 16 x 16."""

from __future__ import annotations

_CIRCLE = "M2 8a6 6 0 1 0 12 0a6 6 0 1 0-12 0"
_GLOBE = f"{_CIRCLE}M2.2 8h11.6M8 2c-2.6 3-2.6 9 0 12M8 2c2.6 3 2.6 9 0 12"
_ARROWS = "M2.5 5.5h11l-3-3M13.5 10.5h-11l3 3"
_SHIELD = "M8 1.8l5.2 1.9v4.1c0 3-2.1 5.2-5.2 6.4C4.9 13 2.8 10.8 2.8 7.8V3.7zM5.6 7.9l1.7 1.7 3.1-3.3"
_WAVES = "".join(f"M1.8 {y}c2-2 4.2-2 6.2 0s4.2 2 6.2 0" for y in (4.6, 8, 11.4))
_KEY = "M7.4 5.4a3.1 3.1 0 1 0 6.2 0a3.1 3.1 0 1 0-6.2 0M8.2 7.6l-5.8 5.8M4.4 11.4l1.8 1.8"
_BUS = "M1.8 8h12.4M4.4 8V3.4M8 8v4.6M11.6 8V3.4M3.2 3.4h2.4M6.8 12.6h2.4M10.4 3.4h2.4"
_LAMBDA = "M4 2.8h2.1l4.7 10.4h1.9M7.6 6.6L4.2 13.2"
_SPARK = "M8 1.8l1.6 4.6L14.2 8 9.6 9.6 8 14.2 6.4 9.6 1.8 8l4.6-1.6z"

ICONS = {
    "http": _GLOBE,
    "http-api": _GLOBE,
    "rest-api": _GLOBE,
    "function-url": _GLOBE,
    "websocket": _ARROWS,
    "websocket-api": _ARROWS,
    "connections": _ARROWS,
    "queue": "M1.8 4.5h3.2v7H1.8zM6.4 4.5h3.2v7H6.4zM11 4.5h3.2v7H11z",
    "topic": "M2 8a1.7 1.7 0 1 0 3.4 0a1.7 1.7 0 1 0-3.4 0M5.4 8h8.2M5 7l7.6-4.4M5 9l7.6 4.4M11.6 6.2L13.6 8l-2 1.8",
    "table": "M2 3h12v10H2zM2 6.3h12M2 9.7h12M6.2 3v10",
    "stream": _WAVES,
    "kafka": _WAVES,
    "delivery": "M1.8 5c2-2 4.2-2 6.2 0s4.2 2 6.2 0M8 8v5.5M5.5 11L8 13.5l2.5-2.5",
    "bucket": "M2.6 4.2c0-2.4 10.8-2.4 10.8 0l-1.3 8.6c-.4 1.9-7.8 1.9-8.2 0zM2.6 4.2c0 2.4 10.8 2.4 10.8 0",
    "bus": _BUS,
    "broker": _BUS,
    "channel": "M5 3.2c-2.6 2.6-2.6 7 0 9.6M11 3.2c2.6 2.6 2.6 7 0 9.6M7 8a1 1 0 1 0 2 0a1 1 0 1 0-2 0",
    "schedule": f"{_CIRCLE}M8 4.6V8l2.4 1.6",
    "invoke": _LAMBDA,
    "function": _LAMBDA,
    "task": "M8 1.8l5.6 3.1v6.2L8 14.2l-5.6-3.1V4.9zM2.4 4.9L8 8l5.6-3.1M8 8v6.2",
    "tool": _SPARK,
    "model": _SPARK,
    "authorizer": _SHIELD,
    "machine": "M2 2.6h4.6v3.6H2zM9.4 9.8H14v3.6H9.4zM6.6 4.4h5.1v5.4",
    "secret": _KEY,
    "key": _KEY,
    "parameter": "M1.8 5h6.4M11.8 5h2.4M8.2 3.2v3.6h3.6V3.2zM1.8 11h2.4M7.8 11h6.4M4.2 9.2v3.6h3.6V9.2z",
    "users": "M5.2 5a2.8 2.8 0 1 0 5.6 0a2.8 2.8 0 1 0-5.6 0M2.6 14c0-5.6 10.8-5.6 10.8 0",
    "log": "M3 3.4h10M3 6.5h6.6M3 9.6h10M3 12.7h4.6",
    "other": f"{_CIRCLE}M6.6 8a1.4 1.4 0 1 0 2.8 0a1.4 1.4 0 1 0-2.8 0",
    "around": "M3.2 6.4A5.2 5.2 0 0 1 13 6M13.4 2.8L13 6l-3-.6M12.8 9.6A5.2 5.2 0 0 1 3 10M2.6 13.2L3 10l3 .6",
    "lock": "M3.6 7.2h8.8v6.4H3.6zM5.4 7.2V5a2.6 2.6 0 0 1 5.2 0v2.2",
}
"""The path of each sign, by the kind of node."""
