"""Ask upstream resolvers over UDP, TCP, TLS and HTTPS, safely."""
