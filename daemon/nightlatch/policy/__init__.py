"""Policy: from an account, where it signs in and what it has, to what this login must show, and why."""
