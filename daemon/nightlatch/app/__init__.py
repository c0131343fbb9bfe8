"""The composition root: builds, starts, reloads and closes everything. Nothing below looks anything up."""
