"""Text and fonts -> page images and boxes, with the degradations of training data."""
