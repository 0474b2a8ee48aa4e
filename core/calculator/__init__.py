"""Cost, latency, accuracy and time of four approaches to one use case, as ranges from input to verdict.

inputs     what a scenario consists of: names, units, limits, help, sources (inputs.toml), presets (presets.toml)
formulas   one pure function per formula
draws      one value for every input in every draw
approaches the four approaches, composed from the formulas; what fits
costs      over the months: cumulative, in all, by part
breakeven  where two approaches cost the same
requests   how single requests differ within one draw: p50, p95, p99
judge      targets, recommendation, too close to call
weights    stakeholders' weights and how stable the choice is
worth      what measuring an input first is worth
model      scenario in, outcome out
compass    what would be recommended if inputs stood elsewhere
flips      which input, moved how far, changes the recommendation; tornado and map
verdict    the outcome in words
calibrate  measured values in place of the documents' ranges
tables     outcome and inputs as rows of words

Knows neither Streamlit nor models nor charts: runs on NumPy alone.
"""
