"""The terminal programs: arguments, consoles, commands, and the workers' daemon."""
