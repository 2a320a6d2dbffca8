"""One folder for each area of the API: its resource, strategies, plans and workloads."""
