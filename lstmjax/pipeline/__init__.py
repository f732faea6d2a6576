"""`tesstrain`: from ground truth, or from a text and fonts, to models, step by step.

In reading order:

- `tesstrain`: the pipeline; `plan`: what is asked for; `languages`: settings of a language.
- `state`: which steps are done; `origin`: what an output folder was made for.
- `ground_truth`, `rendered`: the two ways to lines; both use `lines`, `split`, `groups` and
  `duplicates` to divide them.
- `steps`: the steps after that, made of `starter` (character set), `dropped` (checks) and
  `training` (training, models, evaluation).
- `report`: report.txt.

`shims` stands alone: executables with the names of Tesseract's tools.
"""
