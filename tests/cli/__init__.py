"""The command line, in this process: what it prints, what it stores, how it ends."""
