"""Image members: the projects that an image is shared with."""
