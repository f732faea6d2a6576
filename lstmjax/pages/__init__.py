"""Page and line images with box, PAGE, ALTO or plain texts -> line crops -> lstmf documents."""

from lstmjax.pages.assemble import document as document
from lstmjax.pages.conversion import Outcome as Outcome
from lstmjax.pages.conversion import Summary as Summary
from lstmjax.pages.conversion import convert as convert
from lstmjax.pages.lines import lines_of as lines_of
from lstmjax.pages.records import Kind as Kind
from lstmjax.pages.records import Line as Line
from lstmjax.pages.records import Problem as Problem
from lstmjax.pages.records import Settings as Settings
from lstmjax.pages.sources import Input as Input
from lstmjax.pages.sources import find as find
