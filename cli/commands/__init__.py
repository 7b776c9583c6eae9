"""The commands, one module each; `cli.lazy` imports the one that is called."""
