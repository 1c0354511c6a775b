"""The command line: lists, policy, reports, and the server itself."""
