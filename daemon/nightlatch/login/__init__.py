"""A login: begun, answered step by step, and ended by an outcome."""
