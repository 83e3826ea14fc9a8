"""Ready-made middleware, one class a file."""
