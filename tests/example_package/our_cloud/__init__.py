"""What our cloud promises of images: a catalogue, and the tests that ask for it."""
