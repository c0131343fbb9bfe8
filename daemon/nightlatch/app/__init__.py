"""The composition root: builds, starts, reloads and closes everything. Nothing below looks anything up."""

from nightlatch.app.serve import serve

__all__ = ["serve"]
