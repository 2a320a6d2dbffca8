"""The JSON Schema of our own results, `conformance.json`; those of the API are in `contracts`."""
