"""The advisor: from a few answers to prompt only, retrieval, fine-tuning or hybrid, with every reason shown.

    rules.toml      questions, options, weights, sources, hard constraints   -> rules.py reads and checks it
    score.py        pure scoring: verdict, trace, flips, sensitivity
    guidance.toml   order of work, what to measure, practices and mistakes   -> guidance.py picks what applies
    lexicon.toml    what words mean                                          -> reader.py reads a free text by them
    learned.toml    how often words stand in descriptions of each approach   -> whole.py weighs a text by them
    handover.py     answers -> calculator inputs, playground setting, link

Knows the five documents only as sources named in the data files; knows no model, no figure of cost and no screen.
"""
