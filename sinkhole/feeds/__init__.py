"""Remote lists: read, vet, keep and sync them, so that a bad feed never breaks the network."""
