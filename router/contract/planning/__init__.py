"""Simulate traffic: cold starts, concurrency and cost of one function for everything, and of several.

It is a model. `assumptions` in `words.py` says what it takes for granted, and every output shows it.
"""
