"""A shop whose people sign in with a password and a code."""
