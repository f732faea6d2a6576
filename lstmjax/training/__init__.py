"""Training runs; README.md beside this file is a map in reading order.

`config`, `request`, `check` -> `run` -> `origins`, `recipe`, `start` -> `fast.loop` or
`tesseract.loop` -> `save`, `native`, `best_file`.
"""
