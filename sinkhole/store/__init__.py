"""The SQLite store: hits, policy, feeds, audit; opened only by the control process and the CLI."""
