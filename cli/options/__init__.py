"""The options of commands, and how shells complete them."""
