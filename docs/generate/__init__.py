"""Documents that are made from the code: `python -m docs.generate` writes all of them. Tests compare them."""

from pathlib import Path

DOCS = Path(__file__).parents[1]
"""Where the documents are."""
