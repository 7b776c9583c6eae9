"""`affirm-worker watch`: the overview of the pages in a terminal, with keys to act."""
