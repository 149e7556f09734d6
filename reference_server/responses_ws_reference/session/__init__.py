"""The conversation on one connection, sans I/O: lanes, commands, decisions, what is kept."""
