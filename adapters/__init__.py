"""The outside world: one module a service. Nothing is imported before it is used."""
