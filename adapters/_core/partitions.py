"""The partitions of AWS: the separate clouds for China, governments and the like."""

from __future__ import annotations

_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "us-iso-": "aws-iso", "us-isob-": "aws-iso-b"}


def partition(region: str) -> str:
    """Return the partition of a region, as ARNs name it."""
    return next((name for prefix, name in _PARTITIONS.items() if region.startswith(prefix)), "aws")
