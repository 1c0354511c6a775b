"""What leaves Sinkhole for other systems: formats of events, and ways to bring them there."""
