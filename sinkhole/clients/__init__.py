"""Learn who is at which address: from the neighbour table, DHCP leases and reverse names; nothing is guessed."""
