"""A sister service of the shop in `examples/orders`, which calls it by a generated client."""
