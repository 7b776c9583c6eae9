"""The command line over the API of a real installation."""
