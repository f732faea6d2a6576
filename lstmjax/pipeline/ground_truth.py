"""The step from a folder of ground truth to lists of training and evaluation lines."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lstmjax.data.pairs import IMAGE_SUFFIXES
from lstmjax.errors import DataError, Say
from lstmjax.formats.files import write_atomically
from lstmjax.pages import Outcome, Settings, convert, find
from lstmjax.pages.records import Kind
from lstmjax.pages.sources import Found, strip_ending
from lstmjax.pipeline.lines import all_texts, divide, write_list
from lstmjax.pipeline.plan import Plan
from lstmjax.pipeline.state import Done, State, digest_files
from lstmjax.pipeline.steps import index_of

_TEXT = ".gt.txt"
_SHOWN = 5


@dataclass(frozen=True)
class GroundTruth:
    """The ground truth in a folder.

    Attributes:
      found: images with texts, PAGE and ALTO files, to be converted to documents.
      documents: lstmf files without an image beside them, used as they are.
      problems: path of each file that cannot be used, and the reason.
    """

    found: Found
    documents: tuple[str, ...]
    problems: tuple[tuple[str, str], ...]

    @property
    def files(self) -> list[str]:
        """Every file that the lines depend on, for a digest."""
        paths = {path for one in self.found.inputs for path in (one.image, one.text) if path}
        return [*sorted(paths), *self.documents]


def find_ground_truth(folder: str, output_dir: str) -> GroundTruth:
    """Find ground truth in a folder and its subfolders.

    An lstmf file beside an image was made from that image and is ignored.

    Args:
      folder: folder to search.
      output_dir: folder that documents will be written to.
    Raises: DataError: the folder is missing or holds nothing.
    """
    if not os.path.isdir(folder):
        raise DataError(f"{folder}: no such folder; --ground_truth names one with lines in it")
    found = find([folder], output_dir=output_dir)
    names = sorted(_files(folder))
    images = {strip_ending(name) for name in names if name.lower().endswith(IMAGE_SUFFIXES)}
    texts = [name.removesuffix(_TEXT) for name in names if name.endswith(_TEXT)]
    made = [name for name in names if name.endswith(".lstmf")]
    documents = tuple(name for name in made if name.removesuffix(".lstmf") not in images)
    known = images | {name.removesuffix(".lstmf") for name in made}
    lonely = [(stem + _TEXT, "no image beside this text") for stem in texts if stem not in known]
    problems = [*((p.path, p.reason) for p in found.problems), *lonely]
    if found.passed_over:
        problems.append((folder, f"{found.passed_over} images have no text beside them"))
    if not (found.inputs or documents):
        raise DataError(
            f"{folder}: no ground truth there; expected line images with their texts (a.png and "
            "a.gt.txt), lstmf documents, or PAGE or ALTO files (.xml) with their images"
        )
    return GroundTruth(found, documents, tuple(problems))


def found_lines(plan: Plan, state: State, say: Say) -> dict[str, Any]:
    """Find lines with texts, convert them to documents and divide them.

    Returns: notes of the step: `train` and `eval`, the paths of list files (`eval` is "" if there
      are no evaluation lines); `counts`, the number of lines of each; `texts`, the files that the
      character set is made from; `problems`, pairs of a path and a reason; `division`, sentences
      about how the lines were divided; `digest`, which covers all files made by the step.
    Raises: DataError: there is nothing usable.
    """
    truth = find_ground_truth(plan.ground_truth, plan.path("documents"))
    inputs = {
        "files": digest_files(truth.files),
        "problems": truth.problems,
        "ratio_train": plan.ratio_train,
        "seed": plan.seed,
    }
    # The default is left out: folders of versions without this setting stay valid.
    if plan.split_by != "auto":
        inputs["split_by"] = plan.split_by

    def run() -> Done:
        documents, problems = _documents(truth, say)
        if not documents:
            reasons = "".join(f"\n  {path}: {why}" for path, why in problems[:_SHOWN])
            raise DataError(f"{plan.ground_truth}: nothing there can be used:{reasons}")
        lists = divide(
            documents,
            plan.ratio_train,
            plan.seed,
            plan.path("documents"),
            split_by=plan.split_by,
            # A PAGE or ALTO file is one page, whatever its name.
            whole_pages={f"{one.base}.lstmf" for one in truth.found.inputs if one.kind is Kind.XML},
        )
        for message in lists.messages:
            say(message)
        done = finish(plan, lists.train, lists.eval, [*problems, *lists.problems], [])
        return replace(done, notes={**done.notes, "division": lists.messages})

    return state.do("lines", inputs, run, say)


def finish(
    plan: Plan,
    train: tuple[str, ...],
    evaluation: tuple[str, ...],
    problems: list[tuple[str, str]],
    texts: list[str],
) -> Done:
    """Write the list files and the text of all lines; the end of both steps that make lines.

    Args:
      plan: plan of the pipeline.
      train: documents of the training lines.
      evaluation: documents of the evaluation lines.
      problems: path of each file that was left out, and the reason.
      texts: files that the character set is made from; empty for the text of the lines.
    Returns: outputs and notes of the step, see `found_lines`.
    """
    lists = {"train": plan.path("list.train"), "eval": plan.path("list.eval")}
    write_list(train, lists["train"])
    write_list(evaluation, lists["eval"])
    found: dict[str, Any] = {**lists, "eval": lists["eval"] if evaluation else ""}
    index = index_of(found)
    evaluated = set(evaluation)
    count = sum(document.count for document in index.documents if document.path in evaluated)
    all_gt = plan.path("all-gt")
    write_atomically(all_gt, all_texts(index))
    outputs = (*lists.values(), all_gt, *train, *evaluation)
    notes = {
        **found,
        "counts": {"train": len(index) - count, "eval": count},
        "texts": texts or [all_gt],
        "problems": problems,
        "digest": digest_files(outputs),
    }
    return Done(outputs, notes)


def _documents(truth: GroundTruth, say: Say) -> tuple[list[str], list[tuple[str, str]]]:
    """Convert every input to a document; paths of all documents, and what was left out."""
    made: list[str] = []
    problems = list(truth.problems)

    def take(outcome: Outcome) -> None:
        if outcome.output:
            made.append(outcome.output)
        for problem in outcome.problems:
            problems.append(
                (problem.path, ": ".join(filter(None, (problem.place, problem.reason))))
            )

    workers = os.cpu_count() or 1
    summary = convert(truth.found.inputs, settings=Settings(), workers=workers, on_done=take)
    if summary.inputs:
        say(f"{summary.lines} lines from {summary.inputs} images and pages")
    return [*made, *truth.documents], problems


def _files(folder: str) -> Iterator[str]:
    for place, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in files:
            if not name.startswith("."):
                yield str(Path(place, name))
