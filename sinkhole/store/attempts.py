"""The SQL that tells attempts from raw queries.

An attempt is what one client did with one vendor at a time: its A, AAAA, HTTPS and retries count once. Hits of a client
for a vendor belong to one attempt as long as the next follows within the attempt window. What policy knows only from a
feed has no vendor; all such hits of a client are taken together.
"""

GAP = """
    first - MAX(last) OVER (
        PARTITION BY {by} ORDER BY first, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS gap
"""
"""Seconds since the client's last hit for the vendor; to be formatted with the columns the hits are parted by."""
COUNT = "SUM(gap IS NULL OR gap > :window)"
"""How many attempts began."""
CLIENTS = "COUNT(DISTINCT NULLIF(client, (SELECT id FROM word WHERE text = '')))"
"""How many clients; where clients are not stored, none."""
