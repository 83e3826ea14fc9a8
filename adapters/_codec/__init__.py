"""Instances of dataclasses and pydantic models as databases store them, for the adapters of databases. Not public."""
