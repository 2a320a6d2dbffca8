"""How the service is asked: exact requests, credentials, and a record of every exchange."""
