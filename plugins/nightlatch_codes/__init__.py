"""The factors that send a code: `sms`, `email` and `emergency`, each with an entry point of its own."""
