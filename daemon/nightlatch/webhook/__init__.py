"""Tells a program of the administrators' what the audit says: signed, in order, until it is taken."""
