"""Real servers for the suite: each is started on a free port of 127.0.0.1 and stopped by its pid."""
