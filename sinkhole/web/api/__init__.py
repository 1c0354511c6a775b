"""The resources of the API, a file for each area; `table` has all their routes."""
