"""The live pages of runs, and pictures of a network at work."""
