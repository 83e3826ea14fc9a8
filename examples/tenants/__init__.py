"""Notes of several tenants: required sessions, middleware of both forms, permissions, dependencies that are torn down.

`app.py` puts it together; start there.
"""
