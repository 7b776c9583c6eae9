"""How hypothesis runs here."""

from hypothesis import HealthCheck, settings

# On a busy machine, how long an example takes says nothing about the code.
settings.register_profile("unit", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unit")
