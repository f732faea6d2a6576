"""Evaluations as HTML, JSON and CSV, and the statistics on them."""
