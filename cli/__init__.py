"""The command line `affirm-worker`: parses, calls a service, renders."""
