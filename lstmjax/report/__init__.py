"""Reports on evaluations, as HTML, JSON and CSV, with statistics.

In reading order:

- `readings`: readings of the same lines by several models.
- `align`, `groups`, `statistics`: edits of a line; its font, file and script; intervals and tests.
- `result`: the report as a value, made from these.
- `run`: from evaluations to that value.
- `page`, with `parts`, `pictures` and `style`: the value as HTML; `tables`: as JSON and CSV;
  `texts`: a summary for the terminal.
- `output`: the files.
"""
