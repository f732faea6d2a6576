"""Text and fonts -> page images and boxes, with the degradations of training data."""

from lstmjax.render.catalog import FallbackFaces as FallbackFaces
from lstmjax.render.catalog import FontCatalog as FontCatalog
from lstmjax.render.catalog import FontEntry as FontEntry
from lstmjax.render.degrade import NoiseState as NoiseState
from lstmjax.render.face import Face as Face
from lstmjax.render.lines import LineImage as LineImage
from lstmjax.render.lines import render_line as render_line
from lstmjax.render.pages import Page as Page
from lstmjax.render.pages import PageRenderer as PageRenderer
from lstmjax.render.pages import render_pages as render_pages
from lstmjax.render.settings import Degradation as Degradation
from lstmjax.render.settings import Settings as Settings
