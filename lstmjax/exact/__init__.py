"""Tesseract's arithmetic of training on the host, one line at a time, bit for bit."""
