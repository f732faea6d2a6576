"""The cache: files below the user's own cache directory that save time between runs.

A cache that is missing, damaged, unreadable or full never changes a result and never ends a run:
what is missing is made again, and one line on stderr says so.
"""

from lstmjax.cache.directories import cache_directory as cache_directory
