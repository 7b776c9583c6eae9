"""The product with one guard against hostile runners, files and neighbours taken out, and the tests that find it.

`tests/integration/hostile.py` has more of the database's, which its tests put into a live schema.
"""

from tests.guards import of_database, of_parsers, of_pods, of_texts
from tests.guards.mutants import Mutant

MUTANTS: dict[str, Mutant] = {**of_database.MUTANTS, **of_parsers.MUTANTS, **of_pods.MUTANTS, **of_texts.MUTANTS}
"""What was taken out, in words, and how."""
