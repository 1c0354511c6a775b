"""DNS messages as bytes and values: names, questions, records, EDNS, replies; no I/O."""
