"""The query path: a chain of stages from Query to Answer."""
