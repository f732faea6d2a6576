"""Whole ways from text or scans to models, step by step."""
