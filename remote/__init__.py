"""The use cases of `services` over the HTTP API of an installation, for the command line."""
