"""How hypothesis runs here."""

from hypothesis import settings

# On a busy machine a slow example says nothing about the code.
settings.register_profile("unit", deadline=None)
settings.load_profile("unit")
