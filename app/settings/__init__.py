"""The settings of every program: environment variables, or a context of the config file."""

from app.settings.fields import Settings, allowed, default_in_words, is_secret
from app.settings.kinds import redacted
from app.settings.reading import Reading, read, read_settings

__all__ = ["Reading", "Settings", "allowed", "default_in_words", "is_secret", "read", "read_settings", "redacted"]
