"""The pytest front of the suite."""
