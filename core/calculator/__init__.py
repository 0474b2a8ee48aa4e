"""Cost, latency, accuracy and time of four approaches to one use case, as ranges from input to verdict.

inputs     what a scenario consists of: names, units, limits, help, sources (inputs.toml), presets (presets.toml)
formulas   one pure function per formula
draws      one value for every input in every draw
approaches the four approaches, composed from the formulas; what fits
costs      over the months: cumulative, in all, by part
breakeven  where two approaches cost the same
model      scenario in, outcome out
flips      which input, moved how far, changes the cheapest approach; tornado and heat map
verdict    the outcome in words
calibrate  measured values in place of the documents' ranges
tables     outcome and inputs as rows of words

Knows neither Streamlit nor models nor charts: runs on NumPy alone.
"""
