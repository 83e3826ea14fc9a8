"""Play what stands around the function."""
