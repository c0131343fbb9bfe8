"""Directories: where people are found and their passwords are checked. Nothing is imported here."""
