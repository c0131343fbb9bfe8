"""Finds the plugins that the configuration allows, and stands between them and the core."""
