"""The step before the tests: `make prepare` builds, fetches and installs all that they need, and nothing else does.

`parts.py` lists what the tests of each make target need, `needs.py` what this machine must have for them, and
`rules.py` is what pytest does if something is missing.
"""
