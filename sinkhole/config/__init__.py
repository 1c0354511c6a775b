"""Settings: TOML file, environment and flags, typed and checked."""
