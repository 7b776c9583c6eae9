"""Why a run ended, and what becomes of its job: pure functions."""
