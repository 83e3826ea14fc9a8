"""The real servers that tests start by themselves, and what keeps tests apart that run side by side."""

pytest_plugins = ["tests.servers.fixtures", "tests.parallel"]
