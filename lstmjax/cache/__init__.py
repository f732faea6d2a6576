"""What is kept between runs, below the user's own cache directory, to save time and nothing else.

A cache that is missing, damaged, unreadable or full never changes a result and never ends a run:
what it does not give is made again, and one line on stderr says so.
"""

from lstmjax.cache.directories import cache_directory as cache_directory
