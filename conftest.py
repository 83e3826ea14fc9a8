"""The real servers that tests start by themselves."""

pytest_plugins = ["tests.servers.fixtures"]
