"""net_spec as a value: text to a tree of frozen dataclasses and back, sizes and weight counts."""
