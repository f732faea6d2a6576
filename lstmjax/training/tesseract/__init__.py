"""Recipe tesseract: a line at a time, bit for bit as `lstmtraining`."""
