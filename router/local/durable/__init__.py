"""Durable executions on this machine: AWS's own local runner keeps their steps, waits and callbacks.

Its package is imported when the first durable function is called.
"""
