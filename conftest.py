"""The real servers that tests start by themselves, and what keeps tests apart that run side by side."""

from hypothesis import settings

# Other tests run beside these, and other programs beside those: how long an example takes says nothing.
settings.register_profile("tests", settings(), deadline=None)
settings.load_profile("tests")

pytest_plugins = ["tests.servers.fixtures", "tests.parallel"]
