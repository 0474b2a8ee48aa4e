"""The product without its screen: engine, retrieval, calculator, advisor, evaluation. Knows nothing of Streamlit."""
