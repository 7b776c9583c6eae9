"""The checks of an installation: what each looks at, and what it finds."""
