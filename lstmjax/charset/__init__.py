"""Character sets: text to unichar ids to network output codes, and back."""
