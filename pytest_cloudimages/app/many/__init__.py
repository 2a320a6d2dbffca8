"""Several runs made of one command: many services, many shards, on this machine or on others."""
