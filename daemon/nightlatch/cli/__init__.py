"""The command line: `nightlatch` for administrators, `nightlatchd` for the system."""
