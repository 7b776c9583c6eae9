"""How hypothesis runs here, and that no test here opens the embedded database of whoever runs it."""

import os

from hypothesis import HealthCheck, settings

# On a busy machine, how long an example takes says nothing about the code.
settings.register_profile("unit", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unit")

os.environ["AFFIRM_WORKER_HOME"] = "/dev/null/unit-tests-open-no-database"
