"""A runtime of Lambda that streams answers: what `python -m router runtime` runs in the place of AWS's client."""
