"""The command `cloudimages`."""
