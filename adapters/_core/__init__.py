"""What the adapters share: the base class, steps, messages and batches, sessions on their way out. Not public."""
