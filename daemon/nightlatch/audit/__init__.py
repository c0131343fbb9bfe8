"""The audit as evidence: rows chained under a key, signed heads, and what a look at all of it finds."""
