"""Instances of dataclasses and pydantic models as what a database stores, and back, for the adapters of databases."""
