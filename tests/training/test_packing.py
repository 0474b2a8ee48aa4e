"""Laws of packing: nothing lost, nothing seen that should not be."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.training.packing import IGNORE, Tokens, batch, common_prefix, pack, tree

token = st.integers(3, 9)
sample = st.builds(
    Tokens,
    st.lists(token, min_size=1, max_size=12).map(tuple),
    st.lists(token, min_size=1, max_size=6).map(tuple),
)
groups = st.lists(st.lists(sample, min_size=1, max_size=4), min_size=1, max_size=6)


def read_back(row, number, branch):
    """The ids of one sample as the model sees them, and the labels it bears."""
    mine = (row.tree == number) & ((row.branch == branch) | (row.branch == 0))
    return row.ids[mine].tolist(), [x for x in row.labels[mine].tolist() if x != IGNORE], row.positions[mine].tolist()


@settings(deadline=None, max_examples=50)
@given(st.lists(sample, min_size=1, max_size=5))
def test_every_sample_of_a_tree_reads_back_whole(group):
    row = tree(group)
    for branch, one in enumerate(group, 1):
        ids, labels, positions = read_back(row, 0, branch)
        assert ids == [*one.prompt, *one.completion][:-1]
        assert labels == list(one.completion)
        assert positions == list(range(len(ids)))


@settings(deadline=None, max_examples=50)
@given(groups, st.integers(8, 80))
def test_packing_loses_no_tokens_and_keeps_to_the_length(made, length):
    rows = pack(made, length)
    trees = [tree(group) for group in made]
    assert sum(len(row) for row in rows) == sum(len(t) for t in trees)
    assert sum((row.labels != IGNORE).sum() for row in rows) == sum(len(s.completion) for g in made for s in g)
    longest = max(len(t) for t in trees)
    assert all(len(row) <= max(length, longest) for row in rows)


@settings(deadline=None, max_examples=50)
@given(groups)
def test_a_token_sees_its_past_in_its_own_sample_only(made):
    rows = pack(made, 60)
    arrays = batch(rows, pad=2)
    for index, row in enumerate(rows):
        mask = arrays["mask"][index, 0][: len(row), : len(row)]
        for query in range(len(row)):
            seen = np.flatnonzero(mask[query])
            assert query in seen and seen.max() <= query
            assert (row.tree[seen] == row.tree[query]).all()
            assert np.isin(row.branch[seen], (0, row.branch[query])).all()
            assert row.positions[seen].tolist() == list(range(row.positions[query] + 1))


def test_a_shared_context_is_stored_once():
    context = tuple(range(100, 300))
    group = [Tokens((*context, 5, n), (7, 8)) for n in range(4)]
    assert common_prefix(group) == 201
    assert len(tree(group)) == 201 + 4 * 2
