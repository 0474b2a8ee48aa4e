"""Brightwater Coffee Equipment: a fictional company, as data. Everything here is ours and none of it is real.

world.py     who and what the company has, with each value on the training day and today (products.csv for products)
wordings.py  how people ask for each attribute (train, dev and test wordings are disjoint) and how it is stated
prose.py     the documents' text, with places for values;  source/ holds the ones written by hand
general.py   plain questions about the rest of the world;  mail.py  customer mail and its tickets
build.py     writes training-day/, today/, facts.json and questions/ (`python -m models.brightwater.build`); the files
             questions/hand-*.jsonl are written by hand and left alone
data.py      what training and evaluation read
"""
