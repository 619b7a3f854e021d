"""The programs as people meet them: arguments, consoles, commands, and the workers' daemon."""
