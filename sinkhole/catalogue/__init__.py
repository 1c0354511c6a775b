"""The catalogue of AI vendors: load, lint and search blocklists/."""
