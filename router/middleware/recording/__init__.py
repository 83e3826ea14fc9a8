"""Recordings of real events: their form, the masks over what is secret in them, and where they are kept."""
