import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.charset.prefixes import START, build_tables


def edges(tables, state):
    part = slice(tables.starts[state], tables.starts[state + 1])
    columns = (tables.codes, tables.next_states, tables.unichar_ids)
    return list(zip(*(column[part].tolist() for column in columns), strict=True))


def test_a_small_recoder():
    tables = build_tables([(0,), (9,), (9,), (5, 7), (4,), (5, 7, 8), (5, 6), (5,), (4,)])
    assert tables.starts.tolist() == [0, 5, 8, 9]
    assert edges(tables, 0) == [(0, 0, 0), (9, 0, 2), (4, 0, 8), (5, 0, 7), (5, 1, -1)]
    assert edges(tables, 1) == [(7, 0, 3), (6, 0, 6), (7, 2, -1)]
    assert edges(tables, 2) == [(8, 0, 5)]
    assert tables.lengths.tolist() == [0, 1, 2]


def test_an_empty_recoder_has_one_state():
    tables = build_tables([])
    assert (tables.starts.tolist(), tables.codes.tolist()) == ([0, 0], [])


def by_prefix(sequences):
    """Final and further codes of each prefix, as dicts in order of unichar_id."""
    final, further = {}, {}
    for unichar_id, sequence in enumerate(sequences):
        for k, code in enumerate(sequence):
            if k == len(sequence) - 1:
                final.setdefault(sequence[:k], {})[code] = unichar_id
            else:
                further.setdefault(sequence[:k], {})[code] = True
    return final, further


@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=9).map(tuple), max_size=30))
def test_walking_the_automaton_meets_every_sequence_in_order(sequences):
    tables = build_tables(sequences)
    final, further = by_prefix(sequences)
    todo = [(START, ())]
    visited = 0
    while todo:
        state, prefix = todo.pop()
        visited += 1
        found = edges(tables, state)
        ends = {code: uid for code, _, uid in found if uid >= 0}
        longer = {code: target for code, target, uid in found if uid < 0}
        assert list(ends.items()) == list(final.get(prefix, {}).items())
        assert list(longer) == list(further.get(prefix, {}))
        assert [uid >= 0 for _, _, uid in found] == [True] * len(ends) + [False] * len(longer)
        assert tables.lengths[state] == len(prefix)
        todo += [(target, (*prefix, code)) for code, target in longer.items()]
    assert visited == len(tables.lengths) == len(tables.starts) - 1


def test_the_arrays_are_ready_for_compiled_code():
    tables = build_tables([(0,), (1, 2)])
    for array in vars(tables).values():
        assert array.dtype == np.int32
        assert array.flags.c_contiguous
        assert not array.flags.writeable
