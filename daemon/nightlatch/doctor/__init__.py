"""What can be wrong with an installation, each thing looked at by a small function: `nightlatch doctor`."""
