"""Logs that a network already has: who asked for which name, when. Read as a stream; nothing is written."""
