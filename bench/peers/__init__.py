"""The servers that are compared: each a function that writes its configuration and returns its command."""
