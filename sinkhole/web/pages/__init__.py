"""The pages, rendered here by Jinja2; `table` has all their routes."""
