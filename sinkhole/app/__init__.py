"""Wire the parts together: supervisor, control process, resolver worker."""
