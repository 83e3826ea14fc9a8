"""A payment service with every guard."""
