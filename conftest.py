"""The real servers that tests start by themselves, and what keeps tests apart that run side by side."""

import os

from hypothesis import Phase, settings

# A smaller example is for somebody who reads it; `make mutate` only asks whether there is one.
SKIPPED = {Phase.shrink, Phase.explain} if "MUTATION" in os.environ else set()
# Other tests run beside these, and other programs beside those: how long an example takes says nothing.
settings.register_profile("tests", settings(), deadline=None, phases=[one for one in Phase if one not in SKIPPED])
settings.load_profile("tests")

pytest_plugins = ["tests.servers.fixtures", "tests.parallel"]
