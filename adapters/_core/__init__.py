"""Share the parts of adapters: the base class, steps, messages and batches, sessions on their way out. Not public."""
