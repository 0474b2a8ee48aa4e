"""How good the arms are over a set of questions: run, score, compare, explain. Knows no model and no screen.

questions.py    a user's or our own question set, read from CSV or JSONL
proposing.py    question-answer pairs proposed from documents, checked by rules
quantities.py   text to words and quantities, so that "$34" is not "$340" and "18:30" is "6.30 pm"
scoring.py      is a reply right, in voice, an abstention, a valid ticket; does it cite what exists
graders.py      what counts as right where a question says so; metrics.py: every other measure of a reply
run.py          every question to every arm, through core.ask; results appended as they come
causes.py       why a wrong reply is wrong
statistics.py   accuracy with standard error, paired differences, the effect split
power.py        how many questions: what a set can detect
sequential.py   an interval that may be watched while a run goes on (watching.py: kept up row by row)
hits.py         which passages hold a question's answer
preferences.py  strengths of arms from blind votes; agreement.py: kappa; calibrating.py: metrics against marks by hand
judging.py      a model as judge: what it is asked, how its word is read; repeats.py: between runs, between trainings
sweeps.py       retrieval settings side by side
variants.py     an arm that reads near misses, or documents split otherwise; dial.py: what near misses do to it
records.py      the report and its rows as typed records; report.py makes them of a run's replies
versus.py       two runs side by side; gates.py: demands for CI
sheet.py        the report as one HTML file;  beside.py: the documents' figures beside a run
"""
