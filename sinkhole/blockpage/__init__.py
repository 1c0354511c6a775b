"""The page that is shown at the address of blocked names: who decided, why, what to use instead, and how to go on."""
