"""Tasks: imports and exports of images, which a caller asks for and looks after."""
