"""What the areas of the API share."""
