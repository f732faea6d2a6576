"""What character sets mean: text to unichar ids to network output codes, and back."""
